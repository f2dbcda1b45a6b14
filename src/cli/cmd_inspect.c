#include "base/json.h"
#include "cli/cli.h"
#include "format/model_files.h"
#include "model/config_read.h"
#include "model/load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct inspect_options {
  char *path;
  bool json, no_tensors, no_sha256;
} inspect_options;

enum { KEY_NO_TENSORS = CLI_OWN_KEYS, KEY_NO_SHA256 };

static error_t parse(int key, char *arg, struct argp_state *state) {
  inspect_options *o = state->input;
  switch (key) {
  case CLI_JSON:
    o->json = true;
    return 0;
  case KEY_NO_TENSORS:
    o->no_tensors = true;
    return 0;
  case KEY_NO_SHA256:
    o->no_sha256 = true;
    return 0;
  case ARGP_KEY_ARG:
    return cli_take_arg(state, "MODEL", arg, &o->path);
  case ARGP_KEY_END:
    cli_need_arg(state, "MODEL", o->path);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    CLI_JSON_OPTION(1),
    {"no-tensors", KEY_NO_TENSORS, NULL, 0, "Leave the list of tensors out", 1},
    {"no-sha256", KEY_NO_SHA256, NULL, 0, "Leave the digest out: reading a large file once takes its time",
     1},
    {0}};

/* Adds the architectures to the end of --help. */
static char *help_filter(int key, const char *text, void *input) {
  (void)input;
  char *out;
  if (key != ARGP_KEY_HELP_POST_DOC) return (char *)text;
  char names[256] = "";
  for (int i = 0; les_arch_at(i); i++)
    snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "",
             les_arch_at(i)->name);
  return asprintf(&out, "%s\n\nArchitectures that can be run: %s.", text, names) < 0 ? (char *)text : out;
}

static const struct argp argp = {
    options,
    parse,
    "MODEL",
    "What a model file holds, whether it can be run here, and which parts of it a lesion can name.\vMODEL is "
    "a .gguf file (the first part of a split one), a safetensors directory, or a .safetensors file beside "
    "its config.json. A tensor's shape is given as rows x columns, outputs before inputs. A model that "
    "cannot be run is described as far as it is understood; what is missing or unsupported is named on "
    "stderr, and the exit code is 1.",
    NULL,
    help_filter,
    NULL};

/* What is known of a model. */
typedef struct findings {
  les_model_files files;
  les_config config; /* arch NULL: not understood */
  les_model *model;  /* NULL: it cannot be run */
  char sha256[65];
  char problem[1024]; /* why not; "" if it can */
} findings;

static void note(findings *f, les_status status) {
  if (status != LES_OK && !*f->problem) snprintf(f->problem, sizeof f->problem, "%s", les_message());
}

static les_status find_out(findings *f, const inspect_options *o) {
  LES_TRY(les_model_files_init(&f->files, o->path));
  note(f, les_config_read(&f->config, &f->files, o->path));
  note(f, les_model_open(&f->model, o->path, &(les_model_options){.no_sha256 = true}));
  return o->no_sha256 ? LES_OK : les_model_files_sha256(&f->files, cli_cache_dir(), f->sha256);
}

static void free_findings(findings *f) {
  les_model_close(&f->model);
  les_config_free(&f->config);
  les_model_files_free(&f->files);
}

static bool readable(const les_tensor *t) {
  return les_dtype_find(t->type_id) != NULL;
}

/* Bytes of a tensor's data; 0 if its type is not known. */
static size_t tensor_bytes(const les_tensor *t) {
  return readable(t) ? les_dtype_bytes(t->type_id, les_tensor_elements(t)) : 0;
}

static void totals(const les_tensors *w, int64_t *elements, size_t *bytes) {
  *elements = 0;
  *bytes = 0;
  for (int i = 0; i < w->n; i++) {
    *elements += les_tensor_elements(&w->items[i]);
    *bytes += tensor_bytes(&w->items[i]);
  }
}

/* The matrices that a lesion can name: GPT-2 has no gate. */
static bool has_linear(const les_model *m, int id) {
  return m->layers[0].linear[id].w.data != NULL;
}

static void print_sites(const les_model *m) {
  printf("lesion sites   layers 0-%d, each with: attn mlp", m->hparams.n_layers - 1);
  for (int id = 0; id < LES_N_LINEAR; id++)
    if (has_linear(m, id)) printf(" %s", les_linear_name(id));
  printf(" attn.head0-%d\n", m->hparams.n_heads - 1);
}

/* How many tensors there are of each type, in the order of the file. */
static void print_types(const les_tensors *w) {
  printf("weight types  ");
  for (int i = 0; i < w->n; i++) {
    const les_tensor *t = &w->items[i];
    int before = 0, n = 0;
    for (int k = 0; k < i; k++) before += w->items[k].type_id == t->type_id;
    for (int k = i; k < w->n; k++) n += w->items[k].type_id == t->type_id;
    if (!before) printf(" %s (%d tensors%s)", t->type_name, n, readable(t) ? "" : ", not supported");
  }
  puts("");
}

static void print_shape(const les_tensor *t) {
  if (t->n_dims == 0) printf(" scalar");
  for (int d = t->n_dims - 1; d >= 0; d--) printf(" %" PRId64 "%s", t->dims[d], d ? " x" : "");
}

static void print_tensors(const les_tensors *w) {
  puts("tensors");
  for (int i = 0; i < w->n; i++) {
    printf("  %-48s %-8s", w->items[i].name, w->items[i].type_name);
    print_shape(&w->items[i]);
    puts(readable(&w->items[i]) ? "" : " (type not supported)");
  }
}

static void print_text(const findings *f, const inspect_options *o) {
  const les_tensors *w = f->files.tensors;
  const les_hparams *s = f->model ? &f->model->hparams : &f->config.hparams;
  int64_t elements;
  size_t bytes;
  totals(w, &elements, &bytes);
  if (f->model) printf("model          %s\n", f->model->name);
  for (int i = 0; i < les_model_files_n_files(&f->files); i++)
    printf("file           %s\n", les_model_files_file(&f->files, i));
  printf("format         %s\n", f->files.gguf ? "GGUF" : "safetensors");
  if (*f->sha256) printf("sha256         %s\n", f->sha256);
  printf("architecture   %s\n", f->config.arch ? f->config.arch->name : "not supported");
  if (f->config.arch) {
    printf("layers         %d\nembedding      %d\nmlp            %d\n", s->n_layers, s->n_embd, s->n_ff);
    printf("heads          %d of %d, %d for keys and values\n", s->n_heads, s->head_dim, s->n_kv_heads);
    if (s->n_vocab) printf("vocabulary     %d\n", s->n_vocab);
    printf("context        %d\n", s->n_ctx);
  }
  printf("parameters     %" PRId64 " in %d tensors, %.1f MiB\n", elements, w->n, (double)bytes / (1 << 20));
  print_types(w);
  if (f->model) {
    printf("end tokens    ");
    for (int i = 0; i < f->model->n_eos; i++) printf(" %d", f->model->eos[i]);
    printf("%s\ntokenizer      %s\n", f->model->n_eos ? "" : " none",
           f->model->tokenizer ? "yes" : f->model->tokenizer_missing);
    print_sites(f->model);
  }
  if (!o->no_tensors) print_tensors(w);
}

static void add_shape(cJSON *doc, const les_hparams *s) {
  const struct {
    const char *name;
    double value;
  } numbers[] = {{"layers", s->n_layers},    {"embedding", s->n_embd},    {"mlp", s->n_ff},
                 {"heads", s->n_heads},      {"kv_heads", s->n_kv_heads}, {"head_dim", s->head_dim},
                 {"vocabulary", s->n_vocab}, {"context", s->n_ctx}};
  cJSON *shape = les_json_add_object(doc, "shape");
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    les_json_add_number(shape, numbers[i].name, numbers[i].value);
}

static void add_sites(cJSON *doc, const les_model *m) {
  cJSON *sites = les_json_add_object(doc, "sites"), *parts = les_json_add_array(sites, "parts");
  les_json_add_number(sites, "layers", m->hparams.n_layers);
  les_json_add_string(parts, NULL, "attn");
  les_json_add_string(parts, NULL, "mlp");
  for (int id = 0; id < LES_N_LINEAR; id++)
    if (has_linear(m, id)) les_json_add_string(parts, NULL, les_linear_name(id));
  les_json_add_number(sites, "heads", m->hparams.n_heads);
}

static void add_tensors(cJSON *doc, const les_tensors *w) {
  cJSON *list = les_json_add_array(doc, "tensors");
  for (int i = 0; i < w->n; i++) {
    const les_tensor *t = &w->items[i];
    cJSON *item = les_json_add_object(list, NULL);
    les_json_add_string(item, "name", t->name);
    les_json_add_string(item, "type", t->type_name);
    cJSON *shape = les_json_add_array(item, "shape");
    for (int d = t->n_dims - 1; d >= 0; d--) les_json_add_number(shape, NULL, (double)t->dims[d]);
    les_json_add_bool(item, "supported", readable(t));
  }
}

static void print_json(const findings *f, const inspect_options *o) {
  const les_model *m = f->model;
  int64_t elements;
  size_t bytes;
  totals(f->files.tensors, &elements, &bytes);
  cJSON *doc = cJSON_CreateObject();
  les_json_add_bool(doc, "supported", m != NULL);
  if (*f->problem) les_json_add_string(doc, "problem", f->problem);
  if (m) les_json_add_string(doc, "model", m->name);
  les_json_add_string(doc, "format", f->files.gguf ? "gguf" : "safetensors");
  cJSON *files = les_json_add_array(doc, "files");
  for (int i = 0; i < les_model_files_n_files(&f->files); i++)
    les_json_add_string(files, NULL, les_model_files_file(&f->files, i));
  if (*f->sha256) les_json_add_string(doc, "sha256", f->sha256);
  if (f->config.arch) {
    les_json_add_string(doc, "architecture", f->config.arch->name);
    add_shape(doc, m ? &m->hparams : &f->config.hparams);
  }
  les_json_add_number(doc, "parameters", (double)elements);
  les_json_add_number(doc, "bytes", (double)bytes);
  if (m) {
    les_json_add_ints(doc, "end_tokens", m->eos, m->n_eos);
    les_json_add_bool(doc, "tokenizer", m->tokenizer != NULL);
    if (!m->tokenizer) les_json_add_string(doc, "tokenizer_missing", m->tokenizer_missing);
    add_sites(doc, m);
  }
  if (!o->no_tensors) add_tensors(doc, f->files.tensors);
  cli_print_json(doc);
}

int cmd_inspect(int argc, char **argv) {
  inspect_options o = {0};
  cli_parse(&argp, argc, argv, &o);
  findings f = {0};
  les_status status = find_out(&f, &o);
  if (status == LES_OK) {
    if (o.json)
      print_json(&f, &o);
    else
      print_text(&f, &o);
    if (*f.problem) status = les_fail(LES_FAILED, "%s", f.problem);
  }
  free_findings(&f);
  return cli_finish(status);
}
