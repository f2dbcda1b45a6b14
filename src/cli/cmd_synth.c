#include "cli/cli.h"
#include "synth/synth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Shapes of models that the field uses, from their published configurations; the first is the default. */
typedef struct preset {
  const char *name, *arch;
  int layers, embd, ff, heads, kv_heads, head_dim, vocab, ctx, window;
  double base, eps;
  les_rope_scaling scaling;
  double factor;
  bool tied;
} preset;

static const preset presets[] = {
    {"tiny", "llama", 4, 64, 160, 4, 2, 16, 512, 512, 0, 10000, 1e-5, LES_ROPE_PLAIN, 0, true},
    {"llama-3.2-1b", "llama", 16, 2048, 8192, 32, 8, 64, 128256, 131072, 0, 500000, 1e-5, LES_ROPE_LLAMA3, 32,
     true},
    {"llama-3.2-3b", "llama", 28, 3072, 8192, 24, 8, 128, 128256, 131072, 0, 500000, 1e-5, LES_ROPE_LLAMA3,
     32, true},
    {"llama-3.1-8b", "llama", 32, 4096, 14336, 32, 8, 128, 128256, 131072, 0, 500000, 1e-5, LES_ROPE_LLAMA3,
     8, false},
    {"mistral-7b", "llama", 32, 4096, 14336, 32, 8, 128, 32000, 32768, 4096, 10000, 1e-5, LES_ROPE_PLAIN, 0,
     false},
    {"smollm2-135m", "llama", 30, 576, 1536, 9, 3, 64, 49152, 8192, 0, 100000, 1e-5, LES_ROPE_PLAIN, 0, true},
    {"gemma-3-1b", "gemma3", 26, 1152, 6912, 4, 1, 256, 262144, 32768, 512, 1e6, 1e-6, LES_ROPE_PLAIN, 0,
     true},
    {"gemma-3-4b", "gemma3", 34, 2560, 10240, 8, 4, 256, 262208, 131072, 1024, 1e6, 1e-6, LES_ROPE_LINEAR, 8,
     true},
    {"gemma-3-12b", "gemma3", 48, 3840, 15360, 16, 8, 256, 262208, 131072, 1024, 1e6, 1e-6, LES_ROPE_LINEAR,
     8, true},
    {"gemma-2-2b", "gemma2", 26, 2304, 9216, 8, 4, 256, 256000, 8192, 4096, 10000, 1e-6, LES_ROPE_PLAIN, 0,
     true},
    {"gpt-neo-1.3b", "gptneo", 24, 2048, 8192, 16, 16, 128, 50257, 2048, 256, 0, 1e-5, LES_ROPE_PLAIN, 0,
     true},
    {"gpt2", "gpt2", 12, 768, 3072, 12, 12, 64, 50257, 1024, 0, 0, 1e-5, LES_ROPE_PLAIN, 0, true},
    {"qwen2.5-0.5b", "qwen2", 24, 896, 4864, 14, 2, 64, 151936, 32768, 0, 1e6, 1e-6, LES_ROPE_PLAIN, 0, true},
    {"qwen3-0.6b", "qwen3", 28, 1024, 3072, 16, 8, 128, 151936, 40960, 0, 1e6, 1e-6, LES_ROPE_PLAIN, 0, true},
    {"phi-3-mini-4k", "phi3", 32, 3072, 8192, 32, 32, 96, 32064, 4096, 2047, 10000, 1e-5, LES_ROPE_PLAIN, 0,
     false},
};
enum { n_presets = sizeof presets / sizeof presets[0] };

enum {
  KEY_LAYERS = CLI_OWN_KEYS,
  KEY_EMBD,
  KEY_FF,
  KEY_HEADS,
  KEY_KV,
  KEY_DIM,
  KEY_VOCAB_SIZE,
  KEY_CTX,
  KEY_WINDOW,
  KEY_N, /* behind the sizes */
  KEY_LIKE,
  KEY_TYPE,
  KEY_SPARSE
};

typedef struct synth_options {
  char *path;
  const preset *like;
  const les_arch *arch;
  int number[KEY_N - KEY_LAYERS]; /* -1: not given */
  les_dtype type;
  uint64_t seed;
  const char *vocab;
  bool sparse, untied;
} synth_options;

static error_t parse(int key, char *arg, struct argp_state *state) {
  synth_options *o = state->input;
  switch (key) {
  case KEY_LIKE:
    for (int i = 0; i < n_presets; i++)
      if (!strcmp(presets[i].name, arg)) return o->like = &presets[i], 0;
    argp_error(state, "--like: no model '%s'; `lesion synth --help` lists them", arg);
    return 0;
  case CLI_ARCH:
    o->arch = les_arch_find(arg);
    if (!o->arch) argp_error(state, "--arch: no architecture '%s'; `lesion inspect --help` lists them", arg);
    return 0;
  case KEY_TYPE: {
    const les_dtype_info *type = les_dtype_by_name(arg);
    if (!type) argp_error(state, "--type: no weight type '%s'", arg);
    if (type) o->type = type->type;
    return 0;
  }
  case CLI_SEED:
    o->seed = cli_seed(state, arg);
    return 0;
  case CLI_VOCAB:
    o->vocab = arg;
    return 0;
  case KEY_SPARSE:
    o->sparse = true;
    return 0;
  case CLI_UNTIED:
    o->untied = true;
    return 0;
  case ARGP_KEY_ARG:
    return cli_take_arg(state, "OUTPUT", arg, &o->path);
  case ARGP_KEY_END:
    cli_need_arg(state, "OUTPUT", o->path);
    return 0;
  default:
    if (key < KEY_LAYERS || key >= KEY_N) return ARGP_ERR_UNKNOWN;
    o->number[key - KEY_LAYERS] = cli_int(state, "a size", arg, key == KEY_WINDOW ? 0 : 1, INT32_MAX);
    return 0;
  }
}

static const struct argp_option options[] = {
    {"like", KEY_LIKE, "NAME", 0, "Take the shape of this model (default: tiny); see below", 1},
    {"arch", CLI_ARCH, "NAME", 0, "Another architecture than the shape's own", 1},
    {"type", KEY_TYPE, "TYPE", 0, "Weight type of the matrices: F32 (default), BF16, Q8_0, Q4_K, ...", 1},
    {"layers", KEY_LAYERS, "N", 0, "Layers", 2},
    {"embedding", KEY_EMBD, "N", 0, "Length of the hidden state", 2},
    {"mlp", KEY_FF, "N", 0, "Length within the MLP", 2},
    {"heads", KEY_HEADS, "N", 0, "Attention heads", 2},
    {"kv-heads", KEY_KV, "N", 0, "Heads of keys and values", 2},
    {"head-dim", KEY_DIM, "N", 0, "Length of a head", 2},
    {"vocab-size", KEY_VOCAB_SIZE, "N", 0, "Tokens", 2},
    {"context", KEY_CTX, "N", 0, "Longest sequence", 2},
    {"window", KEY_WINDOW, "N", 0, "Positions that layers with a sliding window see; 0: all", 2},
    {"untied", CLI_UNTIED, NULL, 0, "Give the head a matrix of its own", 2},
    {"vocab", CLI_VOCAB, "FILE", 0,
     "Copy the vocabulary of this GGUF file, or this tokenizer.json into a folder", 3},
    CLI_SEED_OPTION("Another seed gives other weights (default: 0)", 3),
    {"sparse", KEY_SPARSE, NULL, 0,
     "Leave the weights out: full size, no room on the disk, for measuring memory", 3},
    {0}};

/* Adds the presets to the end of --help. */
static char *help_filter(int key, const char *text, void *input) {
  (void)input;
  char *out;
  if (key != ARGP_KEY_HELP_POST_DOC) return (char *)text;
  char names[512] = "";
  for (int i = 0; i < n_presets; i++)
    snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "", presets[i].name);
  return asprintf(&out, "%s\n\nShapes for --like: %s.", text, names) < 0 ? (char *)text : out;
}

static const struct argp argp = {options,
                                 parse,
                                 "OUTPUT",
                                 "Writes a model with random weights, to see what memory and time a run "
                                 "takes before fetching the real one, or for "
                                 "tests. The same options give the same bytes.\vOUTPUT ending with .gguf "
                                 "becomes a GGUF file, anything else a folder "
                                 "with config.json, tokenizer.json and model.safetensors.\n\n"
                                 "Example: lesion synth --like llama-3.2-1b --type Q8_0 planned.gguf",
                                 NULL,
                                 help_filter,
                                 NULL};

static int pick(const synth_options *o, int key, int otherwise) {
  int given = o->number[key - KEY_LAYERS];
  return given >= 0 ? given : otherwise;
}

/* The configuration that the preset and the options describe. */
static les_status make_config(const synth_options *o, les_config *c) {
  const preset *p = o->like;
  *c = (les_config){.arch = o->arch ? o->arch : les_arch_find(p->arch)};
  les_hparams *s = &c->hparams;
  c->name = strdup(p->name);
  if (!c->name) return les_no_memory("the model's name");
  bool other_heads = o->number[KEY_EMBD - KEY_LAYERS] >= 0 || o->number[KEY_HEADS - KEY_LAYERS] >= 0;
  s->n_layers = pick(o, KEY_LAYERS, p->layers);
  s->n_embd = pick(o, KEY_EMBD, p->embd);
  s->n_ff = pick(o, KEY_FF, p->ff);
  s->n_heads = pick(o, KEY_HEADS, p->heads);
  s->n_kv_heads = c->arch->learned_positions ? s->n_heads : pick(o, KEY_KV, p->kv_heads);
  s->head_dim = c->arch->learned_positions ? 0 : pick(o, KEY_DIM, other_heads ? 0 : p->head_dim);
  s->n_vocab = pick(o, KEY_VOCAB_SIZE, p->vocab);
  s->n_ctx = pick(o, KEY_CTX, p->ctx);
  c->window = pick(o, KEY_WINDOW, p->window);
  s->norm_eps = (float)p->eps;
  s->init_range = 0.02f;
  c->tied = p->tied && !o->untied;
  c->rope[0] = c->rope[1] = (les_rope_spec){.scaling = p->scaling,
                                            .base = p->base > 0 ? p->base : 10000,
                                            .factor = p->factor,
                                            .low_freq_factor = 1,
                                            .high_freq_factor = 4,
                                            .original_ctx = 8192};
  les_status status = les_config_finish(c, INT32_MAX / 256);
  if (status != LES_OK) return les_fail_in(LES_USAGE, "the shape does not hold together");
  les_config_set_windows(c, 0);
  return LES_OK;
}

int cmd_synth(int argc, char **argv) {
  synth_options o = {.like = &presets[0], .type = LES_F32};
  for (int i = 0; i < KEY_N - KEY_LAYERS; i++) o.number[i] = -1;
  cli_parse(&argp, argc, argv, &o);
  les_config config;
  les_status status = make_config(&o, &config);
  if (status == LES_OK)
    status = les_synth_write(
        o.path, &(les_synth){
                    .config = &config, .type = o.type, .seed = o.seed, .vocab = o.vocab, .sparse = o.sparse});
  les_config_free(&config);
  return cli_finish(status);
}
