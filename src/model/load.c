#include "model/load.h"

#include "base/path.h"
#include "format/model_files.h"
#include "model/bind.h"
#include "model/config_read.h"

#include <stdlib.h>
#include <string.h>

struct les_model_store {
  les_model_files files;
  les_owned owned;
};

/* A copy of text that lives as long as the model; NULL: out of memory. */
static const char *keep_text(les_model *m, const char *text, size_t n) {
  char *copy = les_owned_alloc(&m->store->owned, n + 1, 1);
  return copy ? memcpy(copy, text, n) : NULL;
}

/* The default of a model's name: its file or folder without the suffix. */
static const char *keep_file_name(les_model *m, const char *path) {
  char *name = les_path_stem(path, les_path_has_suffix(path, ".gguf") ? ".gguf" : ".safetensors");
  const char *kept = name ? keep_text(m, name, strlen(name)) : NULL;
  free(name);
  return kept;
}

static les_status take_config(les_model *m, const les_config *c) {
  m->name = c->name ? keep_text(m, c->name, strlen(c->name)) : keep_file_name(m, m->path);
  int32_t *eos = les_owned_alloc(&m->store->owned, (size_t)c->n_eos + 1, sizeof *eos);
  if (!m->name || !eos) return les_no_memory("the model");
  if (c->n_eos > 0) memcpy(eos, c->eos, (size_t)c->n_eos * sizeof *eos);
  m->eos = eos;
  m->n_eos = c->n_eos;
  return LES_OK;
}

/* A model without a tokenizer can still run on tokens; the reason is kept for those who need text. */
static les_status take_tokenizer(les_model *m) {
  les_tokenizer *tokenizer = NULL;
  const les_model_files *files = &m->store->files;
  les_status status = files->gguf ? les_tokenizer_open_gguf(&tokenizer, files->gguf)
                                  : les_tokenizer_open_folder(&tokenizer, files->folder);
  m->tokenizer = tokenizer;
  if (status == LES_OK) return LES_OK;
  m->tokenizer_missing = keep_text(m, les_message(), strlen(les_message()));
  return m->tokenizer_missing ? LES_OK : les_no_memory("the model");
}

static les_status open_files(les_model *m, const les_model_options *o) {
  les_model_files *files = &m->store->files;
  les_config config = {0};
  les_status status;
  LES_GOTO(status, les_model_files_init(files, m->path), done);
  LES_GOTO(status, les_config_read(&config, files, m->path), done);
  status = les_model_bind(m, &config, files->tensors, files->safetensors != NULL, &m->store->owned);
  if (status == LES_OK) status = take_config(m, &config);
  if (status != LES_OK) {
    status = les_fail_in(status, "%s", m->path);
    goto done;
  }
  if (!o->no_tokenizer) LES_GOTO(status, take_tokenizer(m), done);
  if (!o->no_sha256) status = les_model_files_sha256(files, o->cache_dir, m->sha256);
done:
  les_config_free(&config);
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
    status = les_no_memory("the model %s", path);
    goto done;
  }
  LES_GOTO(status, open_files(m, o), done);
  *out = m;
done:
  if (status != LES_OK) les_model_close(&m);
  return status;
}

void les_model_close(les_model **m) {
  if (!*m) return;
  if ((*m)->store) {
    les_model_files_free(&(*m)->store->files);
    les_owned_free(&(*m)->store->owned);
    free((*m)->store);
  }
  les_tokenizer_close((les_tokenizer **)&(*m)->tokenizer);
  free(*m);
  *m = NULL;
}
