"""Times the training of a byte-level BPE by Hugging Face's Rust tokenizers.

usage: hf_training.py TEXTS.jsonl VOCABULARY

TEXTS has a JSON string on each line. Prints the seconds and the number of merges as JSON. The number of threads is that
of RAYON_NUM_THREADS.
"""
import json
import sys
import time

from tokenizers import Tokenizer, __version__, models, pre_tokenizers, trainers


def main():
    texts = [json.loads(line) for line in open(sys.argv[1])]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=int(sys.argv[2]), min_frequency=2, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    start = time.perf_counter()
    tokenizer.train_from_iterator(texts, trainer, length=len(texts))
    seconds = time.perf_counter() - start
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    print(json.dumps({"seconds": seconds, "merges": len(merges), "version": __version__}))


main()
