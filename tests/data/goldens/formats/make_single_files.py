# SPDX-License-Identifier: Apache-2.0
"""Makes single-files.tar.xz and single_*_expected.*: the single files of the golden set with matrices
whose numbers repeat, so that they compress to a tenth, and what diffusers computes with them.

usage: make_single_files.py GOLDENS OUT   (torch 2.13, diffusers 0.42.1, transformers 5.23)
"""
import json, math, pathlib, sys, tarfile
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import CLIPTokenizer

goldens, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
formats = goldens / "formats"
POOL = torch.randn(4093, generator=torch.Generator().manual_seed(1))


def repeating(name, tensor, seed):
    """Numbers of a pool, scaled by a power of two near the tensor's own deviation."""
    if tensor.dim() < 2 or not tensor.is_floating_point():
        return tensor.clone()
    scale = 2.0 ** round(math.log2(tensor.float().std().item() + 1e-9))
    start = int(torch.randint(4093, (1,), generator=torch.Generator().manual_seed(seed)))
    index = (torch.arange(tensor.numel()) + start) % 4093
    return (POOL[index] * scale).view(tensor.shape).to(tensor.dtype)


def replaced(tensors):
    return {name: repeating(name, t, i) if torch.is_tensor(t) else t
            for i, (name, t) in enumerate(sorted(tensors.items()))}


def expect(kind, pipeline, config, file, case):
    tokenizers = {"tokenizer": CLIPTokenizer.from_pretrained(goldens / "tokenizers", model_max_length=77)}
    if config == "sdxl-config":
        tokenizers["tokenizer_2"] = CLIPTokenizer.from_pretrained(
            goldens / "tokenizers", pad_token="!", model_max_length=77)
    pipe = pipeline.from_single_file(str(file), config=str(formats / config), torch_dtype=torch.float32,
                                     local_files_only=True, safety_checker=None, **tokenizers)
    pipe.set_progress_bar_config(disable=True)
    steps, embeds = [], {}

    def keep(pipe, i, t, kwargs):
        steps.append(kwargs["latents"].clone())
        return kwargs

    image = pipe(case["prompt"], negative_prompt=case["negative_prompt"], height=96, width=96,
                 num_inference_steps=case["num_inference_steps"], guidance_scale=case["guidance_scale"],
                 generator=torch.Generator().manual_seed(case["seed"]), output_type="np",
                 callback_on_step_end=keep, callback_on_step_end_tensor_inputs=["latents"]).images
    save_file({"latents": torch.stack(steps), "image": torch.from_numpy(image).half().contiguous()},
              out / f"single_{kind}_expected.safetensors")
    case = {k: case[k] for k in ("prompt", "negative_prompt", "seed", "num_inference_steps",
                                 "guidance_scale", "height", "width", "tolerance", "scheduler")}
    (out / f"single_{kind}_expected.json").write_text(json.dumps(case, indent=1) + "\n")
    print(kind, steps[-1].abs().max().item(), float(image.min()), float(image.max()), float(image.std()))


torch.set_num_threads(1)
ckpt = torch.load(formats / "sd15.ckpt", weights_only=True)
ckpt["state_dict"] = replaced(ckpt["state_dict"])
torch.save(ckpt, out / "sd15.ckpt")
with safe_open(formats / "sdxl.safetensors", "pt") as f:
    save_file(replaced({k: f.get_tensor(k) for k in f.keys()}), out / "sdxl.safetensors", f.metadata())
expect("sd15_ckpt", StableDiffusionPipeline, "sd15-config", out / "sd15.ckpt",
       json.load(open(formats / "sd15_ckpt_expected.json")))
expect("sdxl", StableDiffusionXLPipeline, "sdxl-config", out / "sdxl.safetensors",
       json.load(open(formats / "sdxl_safetensors_expected.json")))
with tarfile.open(out / "single-files.tar.xz", "w:xz", preset=9) as tar:
    for name in ("sd15.ckpt", "sdxl.safetensors"):
        tar.add(out / name, name)
        (out / name).unlink()
