#include "model/model.h"

les_status les_model_need_tokenizer(const les_model *m) {
  return m->tokenizer ? LES_OK : les_fail(LES_FAILED, "%s: %s", m->path, m->tokenizer_missing);
}
