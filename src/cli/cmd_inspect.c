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

static error_t parse(int key, char *arg, struct argp_state *state) {
  inspect_options *o = state->input;
  switch (key) {
  case 'j':
    o->json = true;
    return 0;
  case 'n':
    o->no_tensors = true;
    return 0;
  case 'd':
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
    {"json", 'j', NULL, 0, "Print one JSON document", 1},
    {"no-tensors", 'n', NULL, 0, "Leave the list of tensors out", 1},
    {"no-sha256", 'd', NULL, 0, "Leave the digest out: reading a large file once takes its time", 1},
    {0}};

/* The architectures' names stand at the end of --help. */
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
    "a .gguf "
    "file (of a split one, its first part), a safetensors directory or a .safetensors file beside its "
    "config.json. A "
    "tensor's shape is given as rows x columns, outputs before inputs. A model that cannot be run is "
    "described as far "
    "as it is understood; what is missing or unsupported is named on stderr, and the exit code is 1.",
    NULL,
    help_filter,
    NULL};

/* What is known of a model. */
typedef struct findings {
  les_model_files source;
  les_config config; /* arch NULL: not understood */
  les_model *model;  /* NULL: it cannot be run */
  char sha256[65];
  char problem[1024]; /* why not; "" if it can */
} findings;

static void note(findings *f, les_status status) {
  if (status != LES_OK && !*f->problem) snprintf(f->problem, sizeof f->problem, "%s", les_message());
}

static les_status find_out(findings *f, const inspect_options *o) {
  LES_TRY(les_model_files_init(&f->source, o->path));
  note(f, les_config_read(&f->config, &f->source, o->path));
  note(f, les_model_open(&f->model, o->path, &(les_model_options){.no_sha256 = true}));
  return o->no_sha256 ? LES_OK : les_model_files_sha256(&f->source, cli_cache_dir(), f->sha256);
}

static void close_findings(findings *f) {
  les_model_close(&f->model);
  les_config_free(&f->config);
  les_model_files_free(&f->source);
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

static void print_text(const findings *f, const inspect_options *o) {
  const les_tensors *w = f->source.tensors;
  const les_hparams *s = f->model ? &f->model->hparams : &f->config.hparams;
  int64_t elements;
  size_t bytes;
  totals(w, &elements, &bytes);
  if (f->model) printf("model          %s\n", f->model->name);
  for (int i = 0; i < les_model_files_n_files(&f->source); i++)
    printf("file           %s\n", les_model_files_file(&f->source, i));
  printf("format         %s\n", f->source.gguf ? "GGUF" : "safetensors");
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
  if (o->no_tensors) return;
  puts("tensors");
  for (int i = 0; i < w->n; i++) {
    printf("  %-48s %-8s", w->items[i].name, w->items[i].type_name);
    print_shape(&w->items[i]);
    puts(readable(&w->items[i]) ? "" : " (type not supported)");
  }
}

static cJSON *shape_json(const les_hparams *s) {
  const struct {
    const char *name;
    double value;
  } numbers[] = {{"layers", s->n_layers},    {"embedding", s->n_embd},    {"mlp", s->n_ff},
                 {"heads", s->n_heads},      {"kv_heads", s->n_kv_heads}, {"head_dim", s->head_dim},
                 {"vocabulary", s->n_vocab}, {"context", s->n_ctx}};
  cJSON *o = cJSON_CreateObject();
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    cJSON_AddNumberToObject(o, numbers[i].name, numbers[i].value);
  return o;
}

static cJSON *sites_json(const les_model *m) {
  cJSON *o = cJSON_CreateObject(), *parts = cJSON_AddArrayToObject(o, "parts");
  cJSON_AddNumberToObject(o, "layers", m->hparams.n_layers);
  cJSON_AddItemToArray(parts, cJSON_CreateString("attn"));
  cJSON_AddItemToArray(parts, cJSON_CreateString("mlp"));
  for (int id = 0; id < LES_N_LINEAR; id++)
    if (has_linear(m, id)) cJSON_AddItemToArray(parts, cJSON_CreateString(les_linear_name(id)));
  cJSON_AddNumberToObject(o, "heads", m->hparams.n_heads);
  return o;
}

static cJSON *tensors_json(const les_tensors *w) {
  cJSON *list = cJSON_CreateArray();
  for (int i = 0; i < w->n; i++) {
    const les_tensor *t = &w->items[i];
    cJSON *o = cJSON_CreateObject(), *shape;
    cJSON_AddStringToObject(o, "name", t->name);
    cJSON_AddStringToObject(o, "type", t->type_name);
    shape = cJSON_AddArrayToObject(o, "shape");
    for (int d = t->n_dims - 1; d >= 0; d--)
      cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)t->dims[d]));
    cJSON_AddBoolToObject(o, "supported", readable(t));
    cJSON_AddItemToArray(list, o);
  }
  return list;
}

static void print_json(const findings *f, const inspect_options *o) {
  const les_model *m = f->model;
  int64_t elements;
  size_t bytes;
  totals(f->source.tensors, &elements, &bytes);
  cJSON *doc = cJSON_CreateObject();
  cJSON_AddBoolToObject(doc, "supported", m != NULL);
  if (*f->problem) cJSON_AddStringToObject(doc, "problem", f->problem);
  if (m) cJSON_AddStringToObject(doc, "model", m->name);
  cJSON_AddStringToObject(doc, "format", f->source.gguf ? "gguf" : "safetensors");
  cJSON *files = cJSON_AddArrayToObject(doc, "files");
  for (int i = 0; i < les_model_files_n_files(&f->source); i++)
    cJSON_AddItemToArray(files, cJSON_CreateString(les_model_files_file(&f->source, i)));
  if (*f->sha256) cJSON_AddStringToObject(doc, "sha256", f->sha256);
  if (f->config.arch) {
    cJSON_AddStringToObject(doc, "architecture", f->config.arch->name);
    cJSON_AddItemToObject(doc, "shape", shape_json(m ? &m->hparams : &f->config.hparams));
  }
  cJSON_AddNumberToObject(doc, "parameters", (double)elements);
  cJSON_AddNumberToObject(doc, "bytes", (double)bytes);
  if (m) {
    cJSON_AddItemToObject(doc, "end_tokens", cJSON_CreateIntArray(m->eos, m->n_eos));
    cJSON_AddBoolToObject(doc, "tokenizer", m->tokenizer != NULL);
    if (!m->tokenizer) cJSON_AddStringToObject(doc, "tokenizer_missing", m->tokenizer_missing);
    cJSON_AddItemToObject(doc, "sites", sites_json(m));
  }
  if (!o->no_tensors) cJSON_AddItemToObject(doc, "tensors", tensors_json(f->source.tensors));
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
  close_findings(&f);
  return cli_finish(status);
}
