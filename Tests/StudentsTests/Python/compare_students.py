#!/usr/bin/env python3
"""The other side of PythonComparisonTests: transformers and PEFT on random configurations.

    compare_students.py make OUT SEED COUNT     random checkpoints with adapters, and what they give
    compare_students.py check OUT               what PEFT gives for the adapters `ours` beside them
"""
import json
import os
import random
import sys
from pathlib import Path

os.environ.update({"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"})
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM,
                          Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM)

FAMILIES = [(LlamaConfig, LlamaForCausalLM), (MistralConfig, MistralForCausalLM), (Qwen2Config, Qwen2ForCausalLM),
            (Qwen3Config, Qwen3ForCausalLM)]
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def last_logits(model, ids):
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids])).logits[0, -1].double().tolist()


def make(out, seed, count):
    rng = random.Random(seed)
    for index in range(count):
        torch.manual_seed(seed * 1000 + index)
        config_type, model_type = FAMILIES[index % len(FAMILIES)]
        groups, per_group, size = rng.choice([1, 2, 3]), rng.choice([1, 2, 4]), rng.choice([8, 16])
        heads = groups * per_group
        options = dict(
            vocab_size=rng.randint(50, 200), hidden_size=heads * size, intermediate_size=rng.randint(20, 90),
            num_hidden_layers=rng.randint(1, 4), num_attention_heads=heads, num_key_value_heads=groups,
            max_position_embeddings=128, rms_norm_eps=rng.choice([1e-5, 1e-6]), initializer_range=0.2,
            tie_word_embeddings=rng.random() < 0.5, bos_token_id=None, eos_token_id=1, pad_token_id=None)
        if config_type is MistralConfig:
            options["sliding_window"] = rng.choice([None, 5])
        if config_type is Qwen3Config:
            options["head_dim"] = rng.choice([8, 24])
        if config_type is LlamaConfig:
            options["attention_bias"] = rng.random() < 0.5
        model = model_type(config_type(**options)).eval()
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(parameter, std=0.2)
        folder = out / f"case-{index}"
        model.save_pretrained(folder / "base", max_shard_size="40KB" if rng.random() < 0.5 else "1GB")
        ids = [rng.randrange(options["vocab_size"]) for _ in range(rng.randint(5, 40))]
        prompt = rng.randint(1, len(ids) - 2)
        expected = {"ids": ids, "prompt": prompt, "base": last_logits(model, ids)}
        rank = rng.randint(1, 6)
        adapted = get_peft_model(model, LoraConfig(
            r=rank, lora_alpha=rng.choice([rank, 2 * rank, 3]), lora_dropout=0.0, use_rslora=rng.random() < 0.3,
            target_modules=rng.sample(TARGETS, rng.randint(1, 7)), task_type="CAUSAL_LM"))
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.3)
        adapted.save_pretrained(folder / "adapter")
        expected["adapter"] = last_logits(adapted, ids)
        optimizer = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad], lr=1e-3, weight_decay=0.01)
        labels = torch.tensor([[-100] * prompt + ids[prompt:]])
        expected["losses"] = []
        for _ in range(4):
            optimizer.zero_grad()
            loss = adapted(input_ids=torch.tensor([ids]), labels=labels).loss
            loss.backward()
            optimizer.step()
            expected["losses"].append(loss.item())
        (folder / "expected.json").write_text(json.dumps(expected))


def check(out):
    results = {}
    for folder in sorted(out.glob("case-*")):
        ids = json.loads((folder / "expected.json").read_text())["ids"]
        base = AutoModelForCausalLM.from_pretrained(folder / "base", dtype=torch.float32).eval()
        results[folder.name] = last_logits(PeftModel.from_pretrained(base, folder / "ours").eval(), ids)
        whole = AutoModelForCausalLM.from_pretrained(folder / "merged", dtype=torch.float32).eval()
        results[folder.name + "/merged"] = last_logits(whole, ids)
    (out / "check.json").write_text(json.dumps(results))


if sys.argv[1] == "make":
    make(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
else:
    check(Path(sys.argv[2]))
