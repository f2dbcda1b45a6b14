/* config.json: transformers' defaults, both spellings of rope settings, windows, end tokens, and what is
 * refused. */
#include "model/config_json.h"
#include "unit.h"

static char folder[64], path[128], generation[128];
static les_config config;

static int open_folder(void **state) {
  (void)state;
  return scratch_open(folder);
}

static int close_folder(void **state) {
  (void)state;
  les_config_free(&config);
  unlink(path);
  return rmdir(folder);
}

static les_status open_config(const char *json) {
  les_config_free(&config);
  assert_int_equal(scratch_write(folder, "config.json", json, strlen(json), path), 0);
  return les_config_read_json(&config, folder, 100);
}

static void assert_read(const char *json) {
  if (open_config(json) != LES_OK) fail_msg("%s", les_message());
}

static void assert_refused(const char *json, const char *words) {
  assert_int_equal(open_config(json), LES_FAILED);
  assert_message(words);
}

static void fills_in_defaults(void **state) {
  (void)state;
  assert_read("{\"model_type\": \"gemma3\", \"text_config\": {\"hidden_size\": 3840}}");
  assert_string_equal(config.arch->name, "gemma3");
  assert_int_equal(config.hparams.n_layers, 26);
  assert_int_equal(config.hparams.head_dim, 256);
  assert_int_equal(config.hparams.n_kv_heads, 4);
  assert_int_equal(config.hparams.n_vocab, 262208);
  assert_int_equal(config.window, 4096);
  assert_true(config.tied);
  assert_near(config.hparams.attn_scale, 0.0625, 0);
  assert_near(config.hparams.embd_scale, 61.967733, 1e-5);
  assert_near(config.rope[0].base, 1e6, 0);
  assert_near(config.rope[1].base, 1e4, 0);
  assert_true(config.sliding[4] && !config.sliding[5] && config.sliding[6]);
  assert_int_equal(config.n_eos, 1);
  assert_int_equal(config.eos[0], 1);
  assert_read("{\"model_type\": \"gpt2\"}");
  assert_int_equal(config.hparams.n_ff, 3072);
  assert_int_equal(config.hparams.n_rope_pairs, 0);
  assert_read("{\"model_type\": \"qwen2\", \"num_attention_heads\": 32}");
  assert_int_equal(config.n_eos, 0);
  assert_false(config.tied);
  assert_int_equal(config.biases, 1 << LES_Q | 1 << LES_K | 1 << LES_V);
}

static void tells_null_from_missing(void **state) {
  (void)state;
  assert_read("{\"model_type\": \"mistral\"}");
  assert_int_equal(config.window, 4096);
  assert_true(config.sliding[0]);
  assert_int_equal(config.hparams.n_kv_heads, 8);
  assert_read("{\"model_type\": \"mistral\", \"sliding_window\": null, \"num_key_value_heads\": null, "
              "\"eos_token_id\": null, \"rope_scaling\": null, \"head_dim\": null}");
  assert_int_equal(config.window, 0);
  assert_false(config.sliding[0]);
  assert_int_equal(config.hparams.n_kv_heads, 32);
  assert_int_equal(config.hparams.head_dim, 128);
  assert_int_equal(config.n_eos, 0);
  assert_read("{\"model_type\": \"gemma2\"}");
  assert_near(config.hparams.attn_softcap, 50, 0);
  assert_read(
      "{\"model_type\": \"gemma2\", \"attn_logit_softcapping\": null, \"final_logit_softcapping\": 20}");
  assert_near(config.hparams.attn_softcap, 0, 0);
  assert_near(config.hparams.logit_softcap, 20, 0);
}

static void reads_both_spellings_of_rope(void **state) {
  (void)state;
  static const char *const spellings[] = {
      "{\"model_type\": \"llama\", \"rope_theta\": 5e5, \"rope_scaling\": {\"type\": \"llama3\", \"factor\": "
      "32, "
      "\"low_freq_factor\": 1, \"high_freq_factor\": 4, \"original_max_position_embeddings\": 8192}}",
      "{\"model_type\": \"llama\", \"rope_parameters\": {\"rope_type\": \"llama3\", \"factor\": 32, "
      "\"rope_theta\": "
      "5e5, \"low_freq_factor\": 1, \"high_freq_factor\": 4, \"original_max_position_embeddings\": 8192}}"};
  for (int i = 0; i < 2; i++) {
    assert_read(spellings[i]);
    assert_int_equal(config.rope[0].scaling, LES_ROPE_LLAMA3);
    assert_near(config.rope[0].base, 5e5, 0);
    assert_near(config.rope[0].factor, 32, 0);
    assert_near(config.rope[0].original_ctx, 8192, 0);
  }
  assert_read("{\"model_type\": \"gemma3_text\", \"rope_parameters\": {\"full_attention\": {\"rope_type\": "
              "\"linear\", "
              "\"factor\": 8, \"rope_theta\": 2e6}, \"sliding_attention\": {\"rope_type\": \"default\", "
              "\"rope_theta\": 2e4}}}");
  assert_int_equal(config.rope[0].scaling, LES_ROPE_LINEAR);
  assert_near(config.rope[0].base, 2e6, 0);
  assert_int_equal(config.rope[1].scaling, LES_ROPE_PLAIN);
  assert_near(config.rope[1].base, 2e4, 0);
  assert_read("{\"model_type\": \"phi3\", \"partial_rotary_factor\": 0.5}");
  assert_int_equal(config.hparams.n_rope_pairs, 24);
}

static void reads_windows(void **state) {
  (void)state;
  assert_read("{\"model_type\": \"qwen2\", \"use_sliding_window\": true, \"sliding_window\": 9, "
              "\"max_window_layers\": "
              "30}");
  assert_true(!config.sliding[29] && config.sliding[30] && config.window == 9);
  assert_read("{\"model_type\": \"qwen2\", \"sliding_window\": 9, \"max_window_layers\": 0}");
  assert_false(config.sliding[0]);
  assert_read("{\"model_type\": \"qwen3\", \"num_hidden_layers\": 2, \"use_sliding_window\": true, "
              "\"layer_types\": [\"sliding_attention\", \"full_attention\"]}");
  assert_true(config.sliding[0] && !config.sliding[1]);
  assert_read(
      "{\"model_type\": \"gpt_neo\", \"num_layers\": 5, \"attention_types\": [[[\"global\", \"local\"], 2], "
      "[[\"local\"], 1]]}");
  assert_true(!config.sliding[0] && config.sliding[1] && !config.sliding[2] && config.sliding[3] &&
              config.sliding[4]);
  assert_near(config.hparams.attn_scale, 1, 0);
  assert_read("{\"model_type\": \"gemma3_text\", \"sliding_window_pattern\": 3}");
  assert_true(config.sliding[1] && !config.sliding[2] && config.sliding[3]);
}

static void collects_end_tokens(void **state) {
  (void)state;
  static const char json[] = "{\"eos_token_id\": [7, 5, null], \"bos_token_id\": 1}";
  static const char good[] = "{\"eos_token_id\": [7, 5]}";
  assert_int_equal(scratch_write(folder, "generation_config.json", good, sizeof good - 1, generation), 0);
  assert_read("{\"model_type\": \"llama\", \"eos_token_id\": 5}");
  assert_int_equal(config.n_eos, 2);
  assert_int_equal(config.eos[0], 5);
  assert_int_equal(config.eos[1], 7);
  assert_int_equal(scratch_write(folder, "generation_config.json", json, sizeof json - 1, generation), 0);
  assert_refused("{\"model_type\": \"llama\"}", "'eos_token_id' is no token id");
  unlink(generation);
  assert_refused("{\"model_type\": \"llama\", \"eos_token_id\": -2}", "end token -1");
}

static void names_what_is_not_supported(void **state) {
  (void)state;
  assert_refused("{}", "has no 'model_type'");
  assert_refused("{\"model_type\": \"mamba\"}", "model_type 'mamba'");
  assert_refused("{\"model_type\": \"llama\", \"hidden_act\": \"mish\"}", "'hidden_act' is 'mish'");
  assert_refused("{\"model_type\": \"llama\", \"rope_scaling\": {\"rope_type\": \"longrope\"}}",
                 "rope_type 'longrope'");
  assert_refused("{\"model_type\": \"llama\", \"quantization_config\": {\"quant_method\": \"gptq\"}}",
                 "gptq");
  assert_refused("{\"model_type\": \"gemma3_text\", \"use_bidirectional_attention\": true}",
                 "'use_bidirectional_attention' is true");
  assert_refused("{\"model_type\": \"gpt2\", \"scale_attn_by_inverse_layer_idx\": true}",
                 "inverse_layer_idx");
  assert_refused(
      "{\"model_type\": \"qwen3\", \"num_hidden_layers\": 1, \"layer_types\": [\"linear_attention\"]}",
      "'linear_attention'");
  assert_refused("{\"model_type\": \"llama\", \"num_key_value_heads\": 3}", "3 key and value heads");
  assert_refused("{\"model_type\": \"llama\", \"num_hidden_layers\": 101}", "the number of layers is 101");
  assert_refused("{\"model_type\": \"llama\", \"hidden_size\": \"64\"}", "'hidden_size' has to be a number");
  assert_refused("{\"model_type\": \"llama\", \"rope_scaling\": {\"rope_type\": \"linear\"}}", "factor is 0");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fills_in_defaults),
      cmocka_unit_test(tells_null_from_missing),
      cmocka_unit_test(reads_both_spellings_of_rope),
      cmocka_unit_test(reads_windows),
      cmocka_unit_test(collects_end_tokens),
      cmocka_unit_test(names_what_is_not_supported),
  };
  return cmocka_run_group_tests(tests, open_folder, close_folder);
}
