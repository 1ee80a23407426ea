"""A real OpenAI-compatible server (llama.cpp) with a small model of random weights.

What it says means nothing; how it says it (streams, tool calls, schemas, usage, refusals) is real.
Arguments: PORT, and `tools` for a chat template with tools, or `plain` for one without.
"""

import sys
import tempfile
import time

import gguf
import numpy
import xllamacpp

WIDTH, HEADS, FORWARD, CONTEXT = 64, 4, 128, 65_536
TEMPLATE = {
    "tools": "{% if tools %}<s>tools: {{ tools | tojson }}\n{% endif %}{% for m in messages %}"
    "{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}",
    # Known to the server by its marks; without its template engine it refuses tools.
    "plain": "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n",
}


def write(path, template):
    """One layer, and a vocabulary of bytes, written as GPT-2 writes them."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {n: chr(n) for n in shown}
    for n in range(256):
        letters.setdefault(n, chr(256 + len(letters) - len(shown)))
    tokens = [letters[n] for n in range(256)] + ["he", "<|end|>"]
    kinds = [gguf.TokenType.NORMAL] * 257 + [gguf.TokenType.CONTROL]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("random")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(["h e"])
    writer.add_bos_token_id(257)
    writer.add_eos_token_id(257)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE[template])
    dice = numpy.random.default_rng(7)

    def tensor(name, *shape):
        writer.add_tensor(name, dice.normal(0, 0.4, shape).astype(numpy.float32))

    def ones(name):
        writer.add_tensor(name, numpy.ones(WIDTH, numpy.float32))

    tensor("token_embd.weight", len(tokens), WIDTH)
    tensor("output.weight", len(tokens), WIDTH)
    ones("output_norm.weight")
    ones("blk.0.attn_norm.weight")
    ones("blk.0.ffn_norm.weight")
    for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
        tensor(f"blk.0.{part}.weight", WIDTH, WIDTH)
    tensor("blk.0.ffn_gate.weight", FORWARD, WIDTH)
    tensor("blk.0.ffn_up.weight", FORWARD, WIDTH)
    tensor("blk.0.ffn_down.weight", WIDTH, FORWARD)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    port, template = int(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/random.gguf"
        write(path, template)
        params = xllamacpp.CommonParams()
        params.model.path = path
        params.n_ctx = CONTEXT
        params.n_parallel = 1
        params.hostnames = ["127.0.0.1"]
        params.port = port
        params.warmup = False
        params.use_jinja = template == "tools"
        server = xllamacpp.Server(params)
        print("listening", server.listening_address, flush=True)
        while True:
            time.sleep(1)


main()
