#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Steps of a LoRA as diffusers' train_text_to_image_lora.py takes them with peft, for comparison
with `affiche-bench train-step`: attention and feed-forward of the UNet, factors in fp32, bf16 by
autocast, AdamW, clipping to a norm of 1. Prints one JSON object.

    python bench/train/peft_step.py --model sd15 --size 512 --rank 16 --threads 2 --steps 3
"""
import argparse
import json
import resource
import time

import diffusers
import peft
import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from diffusers.training_utils import cast_training_params
from peft import LoraConfig

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True, help="diffusers folder")
parser.add_argument("--size", type=int, default=512)
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--rank", type=int, default=16)
parser.add_argument("--dtype", choices=["bf16", "fp32"], default="bf16")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--steps", type=int, default=3)
parser.add_argument("--checkpointing", action="store_true")
parser.add_argument("--channels-last", action="store_true")
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(1)
dtype = torch.bfloat16 if options.dtype == "bf16" else torch.float32
unet = UNet2DConditionModel.from_pretrained(options.model, subfolder="unet", torch_dtype=dtype)
unet.requires_grad_(False)
unet.add_adapter(LoraConfig(
    r=options.rank, lora_alpha=options.rank, init_lora_weights="gaussian",
    target_modules=["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2"]))
cast_training_params(unet, dtype=torch.float32)
if options.checkpointing:
    unet.enable_gradient_checkpointing()
if options.channels_last:
    unet.to(memory_format=torch.channels_last)
unet.train()
factors = [p for p in unet.parameters() if p.requires_grad]
optimiser = torch.optim.AdamW(factors, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.01)
schedule = DDPMScheduler.from_pretrained(options.model, subfolder="scheduler")
side = options.size // 8
latents = torch.randn(options.batch, 4, side, side)
text = torch.randn(options.batch, 77, unet.config.cross_attention_dim).to(dtype)

def own_mib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("RssAnon"))


seconds, cpu, own = [], [], 0
for step in range(options.steps + 1):  # the first one warms up
    start, cpu_start = time.monotonic(), time.process_time()
    noise = torch.randn_like(latents)
    timesteps = torch.randint(0, 1000, (options.batch,))
    noisy = schedule.add_noise(latents, noise, timesteps).to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.dtype == "bf16"):
        predicted = unet(noisy, timesteps, text).sample
    loss = torch.nn.functional.mse_loss(predicted.float(), noise)
    own = max(own, own_mib())  # with the whole graph
    loss.backward()
    torch.nn.utils.clip_grad_norm_(factors, 1.0)
    optimiser.step()
    optimiser.zero_grad()
    seconds.append(time.monotonic() - start)
    cpu.append(time.process_time() - cpu_start)

print(json.dumps({
    "dtype": options.dtype, "size": options.size, "batch": options.batch, "rank": options.rank,
    "threads": options.threads, "checkpointing": options.checkpointing,
    "channels_last": options.channels_last,
    "factors": sum(p.numel() for p in factors),
    "seconds_per_step": sorted(seconds[1:])[(len(seconds) - 1) // 2],
    "cpu_seconds_per_step": sorted(cpu[1:])[(len(cpu) - 1) // 2],
    "own_mib": own,
    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "versions": {"torch": torch.__version__, "diffusers": diffusers.__version__,
                 "peft": peft.__version__}}))
