#include "model.h"

#include "build.h"
#include "file.h"
#include "safetensors.h"
#include "sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct les_model_store {
  les_gguf *gguf; /* one of the two */
  les_safetensors *safetensors;
  les_owned owned;
};

/* A copy of text that lives as long as the model. */
static const char *keep_text(les_model *m, const char *text, size_t n) {
  char *copy = les_owned_alloc(&m->store->owned, n + 1, 1);
  return copy ? memcpy(copy, text, n) : NULL;
}

/* The last part of a path without its ending: what a model is called that does not say. */
static const char *keep_file_name(les_model *m, const char *path) {
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') n--;
  size_t start = n;
  while (start > 0 && path[start - 1] != '/') start--;
  size_t end = n;
  static const char *const endings[] = {".gguf", ".safetensors"};
  for (size_t i = 0; i < 2; i++) {
    size_t k = strlen(endings[i]);
    if (n - start > k && !memcmp(path + n - k, endings[i], k)) end = n - k;
  }
  return keep_text(m, path + start, end - start);
}

static les_status take_config(les_model *m, const les_config *c) {
  m->name = c->name ? keep_text(m, c->name, strlen(c->name)) : keep_file_name(m, m->path);
  int32_t *eos = les_owned_alloc(&m->store->owned, (size_t)c->n_eos + 1, sizeof *eos);
  if (!m->name || !eos) return les_fail(LES_FAILED, "no memory for the model");
  if (c->n_eos > 0) memcpy(eos, c->eos, (size_t)c->n_eos * sizeof *eos);
  m->eos = eos;
  m->n_eos = c->n_eos;
  return LES_OK;
}

/* A model without a tokenizer is good for everything that is given in tokens: the reason is kept. */
static les_status take_tokenizer(les_model *m, les_status status, les_tokenizer *tokenizer) {
  m->tokenizer = tokenizer;
  if (status == LES_OK) return LES_OK;
  m->tokenizer_missing = keep_text(m, les_message(), strlen(les_message()));
  return m->tokenizer_missing ? LES_OK : les_fail(LES_FAILED, "no memory for the model");
}

static les_status open_gguf(les_model *m, const les_model_options *o) {
  les_config config = {0};
  les_status status;
  LES_GOTO(status, les_gguf_open(&m->store->gguf, m->path), done);
  const les_gguf *g = m->store->gguf;
  LES_GOTO(status, les_config_read_gguf(&config, g), named);
  LES_GOTO(status, les_model_build(m, &config, les_gguf_weights(g), false, &m->store->owned), named);
  LES_GOTO(status, take_config(m, &config), named);
  if (!o->no_tokenizer) {
    les_tokenizer *tokenizer;
    les_status s = les_tokenizer_open_gguf(&tokenizer, g);
    LES_GOTO(status, take_tokenizer(m, s, tokenizer), done);
  }
named:
  if (status != LES_OK) status = les_fail_in(status, "%s", m->path);
done:
  les_config_free(&config);
  return status;
}

/* The folder of a safetensors model: `path` itself, or where the file lies. Free with free. */
static char *find_folder(const char *path) {
  struct stat st;
  const char *slash = strrchr(path, '/');
  if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return strdup(path);
  return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

static les_status open_json_tokenizer(les_model *m, const char *folder) {
  char *path = NULL, *config = NULL;
  les_tokenizer *tokenizer = NULL;
  les_status status = LES_OK;
  if (asprintf(&path, "%s/tokenizer.json", folder) < 0) path = NULL;
  if (asprintf(&config, "%s/tokenizer_config.json", folder) < 0) config = NULL;
  if (!path || !config) {
    status = les_fail(LES_FAILED, "%s: no memory", folder);
  } else {
    les_status s =
        access(path, F_OK) == 0
            ? les_tokenizer_open_json(&tokenizer, path, access(config, F_OK) == 0 ? config : NULL)
            : les_fail(LES_FAILED, "%s: there is no tokenizer.json; give --tokens instead of text", folder);
    status = take_tokenizer(m, s, tokenizer);
  }
  free(path);
  free(config);
  return status;
}

static les_status open_safetensors(les_model *m, const les_model_options *o) {
  les_config config = {0};
  char *folder = find_folder(m->path);
  les_status status = LES_OK;
  if (!folder) {
    status = les_fail(LES_FAILED, "%s: no memory", m->path);
    goto done;
  }
  LES_GOTO(status, les_safetensors_open(&m->store->safetensors, m->path), done);
  const les_weights *w = les_safetensors_weights(m->store->safetensors);
  LES_GOTO(status, les_config_read_json(&config, folder, w->n), done);
  status = les_model_build(m, &config, w, true, &m->store->owned);
  if (status == LES_OK) status = take_config(m, &config);
  if (status != LES_OK) status = les_fail_in(status, "%s", m->path);
  if (status == LES_OK && !o->no_tokenizer) status = open_json_tokenizer(m, folder);
done:
  les_config_free(&config);
  free(folder);
  return status;
}

static bool is_gguf(const char *path) {
  size_t n = strlen(path), k = strlen(".safetensors");
  struct stat st;
  return !(stat(path, &st) == 0 && S_ISDIR(st.st_mode)) && !(n >= k && !strcmp(path + n - k, ".safetensors"));
}

/* The digest of the one weights file, or of the digests of several, in order. */
static les_status take_digest(les_model *m, const les_model_options *o) {
  const les_gguf *g = m->store->gguf;
  const les_safetensors *s = m->store->safetensors;
  int n = g ? les_gguf_n_parts(g) : les_safetensors_n_files(s);
  enum { HEX = 64 };
  char *all = malloc((size_t)n * HEX + 1);
  if (!all) return les_fail(LES_FAILED, "%s: no memory for its digest", m->path);
  les_status status = LES_OK;
  for (int i = 0; i < n; i++) {
    const char *path = g ? les_gguf_part_path(g, i) : les_safetensors_file_path(s, i);
    LES_GOTO(status, les_sha256_file(path, o->cache_dir, all + i * HEX), done);
  }
  if (n == 1)
    memcpy(m->sha256, all, HEX + 1);
  else
    status = les_sha256(all, (size_t)n * HEX, m->sha256);
done:
  free(all);
  return status;
}

les_status les_model_open(les_model **out, const char *path, const les_model_options *options) {
  static const les_model_options defaults = {0};
  const les_model_options *o = options ? options : &defaults;
  les_status status;
  *out = NULL;
  les_model *m = calloc(1, sizeof *m);
  if (m) m->store = calloc(1, sizeof *m->store);
  if (!m || !m->store || !(m->path = keep_text(m, path, strlen(path)))) {
    status = les_fail(LES_FAILED, "%s: no memory", path);
    goto done;
  }
  LES_GOTO(status, is_gguf(path) ? open_gguf(m, o) : open_safetensors(m, o), done);
  if (!o->no_sha256) LES_GOTO(status, take_digest(m, o), done);
  *out = m;
done:
  if (status != LES_OK) les_model_close(&m);
  return status;
}

void les_model_close(les_model **m) {
  if (!*m) return;
  if ((*m)->store) {
    les_gguf_close(&(*m)->store->gguf);
    les_safetensors_close(&(*m)->store->safetensors);
    les_owned_free(&(*m)->store->owned);
    free((*m)->store);
  }
  les_tokenizer_close((les_tokenizer **)&(*m)->tokenizer);
  free(*m);
  *m = NULL;
}

const char *les_linear_name(les_linear_id id) {
  static const char *const names[LES_N_LINEAR] = {
      [LES_Q] = "attn.q",      [LES_K] = "attn.k",  [LES_V] = "attn.v",     [LES_O] = "attn.o",
      [LES_GATE] = "mlp.gate", [LES_UP] = "mlp.up", [LES_DOWN] = "mlp.down"};
  return names[id];
}
