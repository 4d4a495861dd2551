#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do adapters that `affiche train lora` wrote mean the same to diffusers and peft as to affiche?

Trains an adapter of every kind on the tiny models of the tests, in both layouts, loads each in
diffusers, and compares the latents of a picture with those of `affiche generate --lora`. The exit
code is 1 when one is further off than 1e-4 of the latents' size.

Needs torch, diffusers, peft, transformers. Run in the repository's root:
    python tests/reference/check_adapter.py [--program build/release/src/cli/affiche]
"""
import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import diffusers
import peft
import torch
import transformers
from diffusers import DDIMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import load_file

MODELS = Path("tests/data/goldens/models")
TOLERANCE = 1e-4
# Few steps and little guidance: networks of random weights make much of every rounding.
PROMPT, SEED, STEPS, GUIDANCE = "soft waves, teal", 11, 2, 2.0
CASES = {
    "attention and feed-forward": ["--rank", "4", "--targets", "attention,feed-forward"],
    "attention, rank 8, alpha 2": ["--rank", "8", "--alpha", "2", "--targets", "attention"],
    "convolutions": ["--rank", "4", "--alpha", "8", "--convolutions"],
    "text encoders": ["--rank", "4", "--targets", "attention,feed-forward,text-encoders"],
    "all": ["--rank", "3", "--alpha", "5", "--convolutions", "--text-encoders"],
}


diffusers.logging.set_verbosity_error()
diffusers.logging.disable_progress_bar()
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


def draw(folder):
    folder.mkdir()
    numbers = random.Random(3)
    for i in range(5):
        pixels = bytes(numbers.randrange(256) for _ in range(3 * 64 * 64))
        (folder / f"{i}.ppm").write_bytes(b"P6\n64 64\n255\n" + pixels)


def train(program, model, data, folder, layout, options):
    out = folder / "adapter.safetensors"
    subprocess.run(
        [program, "train", "lora", "--model", MODELS / model, "--data", data, "--out", out, "--work",
         folder / "work", "--caption", "noise", "--steps", "6", "--rate", "0.005", "--warm-up", "0",
         "--width", "64", "--height", "64", "--fp32", "--sample-steps", "1", "--layout", layout,
         "--prompt", "noise", "--sheet-every", "0", *options],
        check=True, stdout=subprocess.DEVNULL)
    return out


def ours(program, model, folder, lora):
    latents = folder / "latents.safetensors"
    subprocess.run(
        [program, "generate", "--model", MODELS / model, "--prompt", PROMPT, "--seed", str(SEED),
         "--steps", str(STEPS), "--guidance", str(GUIDANCE), "--scheduler", "ddim", "--width", "64",
         "--height", "64", "--dtype", "fp32", "--out", folder / "picture.png", "--latents-out",
         latents, *(["--lora", lora] if lora else [])],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return load_file(latents)["latents"]


def theirs(pipeline, lora):
    if lora:
        pipeline.load_lora_weights(lora.parent, weight_name=lora.name)
    latents = pipeline(PROMPT, num_inference_steps=STEPS, guidance_scale=GUIDANCE, width=64,
                       height=64, generator=torch.Generator().manual_seed(SEED),
                       output_type="latent").images
    pipeline.unload_lora_weights()
    return latents


def pipeline_of(model):
    kind = StableDiffusionXLPipeline if model == "sdxl" else StableDiffusionPipeline
    extra = {} if model == "sdxl" else {"safety_checker": None}
    pipeline = kind.from_pretrained(MODELS / model, torch_dtype=torch.float32, **extra)
    pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/release/src/cli/affiche", type=Path)
    program = parser.parse_args().program.absolute()
    print(f"torch {torch.__version__}, diffusers {diffusers.__version__}, peft {peft.__version__}")
    bad = 0
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        draw(data)
        for model in ["sd15", "sdxl"]:
            pipeline = pipeline_of(model)
            plain = ours(program, model, Path(scratch), None)
            off = (plain - theirs(pipeline, None)).abs().max() / plain.abs().max()
            print(f"    {model} without an adapter: off by {off:.1e}")
            for layout in ["peft", "kohya"]:
                for case, options in CASES.items():
                    folder = Path(tempfile.mkdtemp(dir=scratch))
                    lora = train(program, model, data, folder, layout, options)
                    own = ours(program, model, folder, lora)
                    size = own.abs().max().item()
                    try:
                        off = (own - theirs(pipeline, lora)).abs().max().item() / size
                    except Exception as error:  # diffusers refuses the file: the next one may load
                        print(f"{model} {layout}, {case}: diffusers: {error}")
                        pipeline, off = pipeline_of(model), 1.0
                    change = (own - plain).abs().max().item() / size
                    fine = off < TOLERANCE and change > 100 * TOLERANCE
                    bad += not fine
                    print(f"{'ok ' if fine else 'BAD'} {model} {layout}, {case}: off by {off:.1e}, "
                          f"the adapter changes {change:.1e}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
