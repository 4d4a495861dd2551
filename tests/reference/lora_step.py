#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/goldens/training/lora_step.safetensors: one optimiser step of a LoRA as peft and
PyTorch's autograd take it, for tests/diffusion/training/reference_step_test.cpp.

Needs torch, diffusers, peft, safetensors. Run in the repository's root:
    python tests/reference/lora_step.py
"""
import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from peft import LoraConfig, inject_adapter_in_model
from safetensors.torch import save_file

RANK, ALPHA, RATE, MIN_SNR = 2, 3.0, 1e-2, 5.0
MODEL = "tests/data/goldens/models/sd15"

torch.manual_seed(4)
torch.set_grad_enabled(True)
unet = UNet2DConditionModel.from_pretrained(MODEL, subfolder="unet").float()
unet.requires_grad_(False)
# The middle block only: attention and feed-forward, and its convolutions.
config = LoraConfig(r=RANK, lora_alpha=ALPHA, init_lora_weights=False,
                    target_modules=r"mid_block\..*(to_q|to_k|to_v|to_out\.0|ff\.net\.0\.proj|ff\.net\.2|conv1|conv2|conv_shortcut|proj_in|proj_out)")
inject_adapter_in_model(config, unet)
factors = {n: p for n, p in unet.named_parameters() if p.requires_grad}
for parameter in factors.values():
    parameter.data = torch.randn_like(parameter) * 0.1
before = {n: p.detach().clone() for n, p in factors.items()}

schedule = DDPMScheduler.from_pretrained(MODEL, subfolder="scheduler")
latents, noise = torch.randn(3, 4, 8, 8), torch.randn(3, 4, 8, 8)
context, timesteps = torch.randn(3, 7, 32), torch.tensor([20, 400, 950])
optimiser = torch.optim.AdamW(factors.values(), lr=RATE, betas=(0.9, 0.99), eps=1e-8,
                              weight_decay=0.01)
out = {"latents": latents, "noise": noise, "context": context, "timesteps": timesteps}
losses, norms = [], []
for step in range(2):  # the second one also depends on the state that the first one left
    predicted = unet(schedule.add_noise(latents, noise, timesteps), timesteps, context).sample
    products = schedule.alphas_cumprod[timesteps]
    snr = products / (1 - products)
    weights = torch.clamp(snr, max=MIN_SNR) / snr
    loss = (((predicted - noise) ** 2).mean(dim=(1, 2, 3)) * weights).mean()
    optimiser.zero_grad()
    loss.backward()
    norms.append(torch.nn.utils.clip_grad_norm_(list(factors.values()), 1.0))
    optimiser.step()
    losses.append(loss.detach())
out["losses"], out["norms"] = torch.stack(losses), torch.stack(norms)


def plain(name):
    return "unet." + name.replace(".lora_A.default.", ".lora_A.").replace(".lora_B.default.", ".lora_B.")


for name, parameter in factors.items():
    out["before." + plain(name)] = before[name]
    out["after." + plain(name)] = parameter.detach()
save_file({n: t.contiguous() for n, t in out.items()},
          "tests/data/goldens/training/lora_step.safetensors",
          {"rank": str(RANK), "alpha": str(ALPHA), "rate": str(RATE), "min_snr": str(MIN_SNR)})
print(f"{len(factors)} factors, losses {losses}, norms {norms}")
