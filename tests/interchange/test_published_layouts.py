"""Published configurations, with fewer layers and entries and random weights, give here the logits they give there."""

from __future__ import annotations

import pytest
import torch

from textpipe.files import write_bytes, write_json
from textpipe.interchange.exporting import export_model
from textpipe.interchange.importing import ModelFolder
from textpipe.nn.shapes import BertConfig, GptConfig

transformers = pytest.importorskip("transformers")
ENTRIES = 1000
GPT2_SMALL = {
    "activation_function": "gelu_new",
    "architectures": ["GPT2LMHeadModel"],
    "attn_pdrop": 0.1,
    "bos_token_id": 999,
    "embd_pdrop": 0.1,
    "eos_token_id": 999,
    "initializer_range": 0.02,
    "layer_norm_epsilon": 1e-05,
    "model_type": "gpt2",
    "n_ctx": 1024,
    "n_embd": 768,
    "n_head": 12,
    "n_layer": 1,
    "n_positions": 1024,
    "resid_pdrop": 0.1,
    "summary_activation": None,
    "summary_first_dropout": 0.1,
    "summary_proj_to_labels": True,
    "summary_type": "cls_index",
    "summary_use_proj": True,
    "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
}
LLAMA_3_2 = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": 998,
    "eos_token_id": [999, 997],
    "head_dim": 64,
    "hidden_act": "silu",
    "hidden_size": 512,  # published: 2048 with 32 and 8 heads
    "initializer_range": 0.02,
    "intermediate_size": 2048,
    "max_position_embeddings": 131072,
    "mlp_bias": False,
    "model_type": "llama",
    "num_attention_heads": 8,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_scaling": {
        "factor": 32.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": 8192,
        "rope_type": "llama3",
    },
    "rope_theta": 500000.0,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
    "use_cache": True,
}
BERT_BASE = {
    "architectures": ["BertForMaskedLM"],
    "attention_probs_dropout_prob": 0.1,
    "gradient_checkpointing": False,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 768,
    "initializer_range": 0.02,
    "intermediate_size": 3072,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "model_type": "bert",
    "num_attention_heads": 12,
    "num_hidden_layers": 1,
    "pad_token_id": 0,
    "position_embedding_type": "absolute",
    "type_vocab_size": 2,
    "use_cache": True,
}
_PAIR = {"is_encoder_decoder": True, "scale_embedding": True, "dropout": 0.1, "activation_dropout": 0.0}
OPUS_MT = {
    **_PAIR,
    "activation_function": "swish",
    "add_bias_logits": False,
    "add_final_layer_norm": False,
    "architectures": ["MarianMTModel"],
    "attention_dropout": 0.0,
    "bad_words_ids": [[999]],
    "bos_token_id": 0,
    "d_model": 512,
    "decoder_attention_heads": 8,
    "decoder_ffn_dim": 2048,
    "decoder_layers": 1,
    "decoder_start_token_id": 999,
    "encoder_attention_heads": 8,
    "encoder_ffn_dim": 2048,
    "encoder_layers": 1,
    "eos_token_id": 0,
    "extra_pos_embeddings": 1000,
    "max_length": 512,
    "max_position_embeddings": 512,
    "model_type": "marian",
    "normalize_before": False,
    "normalize_embedding": False,
    "num_beams": 4,
    "pad_token_id": 999,
    "static_position_embeddings": True,
}
M2M100_418M = {
    **_PAIR,
    "activation_function": "relu",
    "architectures": ["M2M100ForConditionalGeneration"],
    "attention_dropout": 0.1,
    "bos_token_id": 0,
    "d_model": 1024,
    "decoder_attention_heads": 16,
    "decoder_ffn_dim": 4096,
    "decoder_layerdrop": 0.05,
    "decoder_layers": 1,
    "decoder_start_token_id": 2,
    "early_stopping": True,
    "encoder_attention_heads": 16,
    "encoder_ffn_dim": 4096,
    "encoder_layerdrop": 0.05,
    "encoder_layers": 1,
    "eos_token_id": 2,
    "max_length": 200,
    "max_position_embeddings": 1024,
    "model_type": "m2m_100",
    "num_beams": 5,
    "num_hidden_layers": 1,
    "pad_token_id": 1,
    "use_cache": True,
}
PUBLISHED = {
    "gpt2": GPT2_SMALL,
    "llama-3.2": LLAMA_3_2,
    "bert-base": BERT_BASE,
    "opus-mt": OPUS_MT,
    "m2m100-418M": M2M100_418M,
}


@pytest.fixture(scope="module", params=PUBLISHED)
def published(request, tmp_path_factory, word_tokenizer):
    """Their model, and a folder of it with config.json word for word as it is published."""
    folder, config = tmp_path_factory.mktemp(request.param), {**PUBLISHED[request.param], "vocab_size": ENTRIES}
    write_json(folder / "config.json", config)
    torch.manual_seed(7)
    made = getattr(transformers, config["architectures"][0])(transformers.AutoConfig.from_pretrained(folder))
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if weight.requires_grad and weight.dim() == 1:  # zero biases and norms of one would hide a swap
                weight.add_(torch.randn(weight.shape) * 0.1)
            assert "bias" not in name or weight.dim() == 1
    made.eval().save_pretrained(folder)
    write_json(folder / "config.json", config)
    write_bytes(folder / "tokenizer.json", word_tokenizer.to_str().encode())
    return made, folder


def logits_of(model, ids):
    """Of a model of transformers or of ours."""
    is_ours = not isinstance(model, transformers.PreTrainedModel)
    with torch.no_grad():
        if is_ours and isinstance(model.config, GptConfig | BertConfig):
            return model.logits(model(ids))
        if is_ours:
            return model.logits(model(ids, torch.tensor([ids.shape[1]] * len(ids)), ids[:, :9]))
        more = {"decoder_input_ids": ids[:, :9]} if model.config.is_encoder_decoder else {}
        return model(input_ids=ids, use_cache=False, **more).logits


def some_ids():
    return torch.randint(3, 400, (2, 120), generator=torch.Generator().manual_seed(1))


def test_logits_equal_those_of_transformers(published):
    theirs, folder = published
    found = ModelFolder.open(folder)
    expected = logits_of(theirs, some_ids())[..., :400]  # the tokenizer has fewer entries than the embedding
    torch.testing.assert_close(
        logits_of(found.model(), some_ids()), expected, rtol=0, atol=2e-6 * max(1.0, expected.abs().max().item())
    )


def test_what_was_read_is_exported_and_read_there_again(published, tmp_path):
    _, folder = published
    found = ModelFolder.open(folder)
    ours = found.model()
    eos_id = found.tokenizer.token_to_id("<|endoftext|>")
    if folder.name.startswith("m2m100"):
        eos_id = 2  # id 1, a special token here too, is padding
    export_model(ours, found.tokenizer, tmp_path / "out", eos_id=eos_id)
    again = getattr(transformers, found.family.architecture).from_pretrained(tmp_path / "out").eval()
    expected = logits_of(ours, some_ids())
    torch.testing.assert_close(
        logits_of(again, some_ids()), expected, rtol=0, atol=2e-6 * max(1.0, expected.abs().max().item())
    )


def test_slower_angles_of_llama_change_far_positions_most(word_tokenizer, tmp_path):
    folder = tmp_path / "llama"
    config = transformers.LlamaConfig(**{**LLAMA_3_2, "vocab_size": ENTRIES, "num_hidden_layers": 1})
    torch.manual_seed(3)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    write_bytes(folder / "tokenizer.json", word_tokenizer.to_str().encode())
    scaled = ModelFolder.open(folder).model()
    plain = type(scaled)(scaled.config.replaced(rope_scaling=None)).eval()
    plain.load_state_dict(scaled.state_dict())
    near, far = torch.arange(40)[None], torch.arange(40)[None] * 2000
    ids = some_ids()[:1, :40]
    with torch.no_grad():
        close, apart = (
            (scaled(ids, positions_BT=places) - plain(ids, positions_BT=places)).abs().max().item()
            for places in (near, far)
        )
    assert apart > 10 * close > 0
