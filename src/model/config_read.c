#include "model/config_read.h"

#include "model/config_gguf.h"
#include "model/config_json.h"

les_status les_config_read(les_config *out, const les_model_files *files, const char *path) {
  if (!files->gguf) return les_config_read_json(out, files->folder, files->tensors->n);
  les_status status = les_config_read_gguf(out, files->gguf);
  return status == LES_OK ? status : les_fail_in(status, "%s", path);
}
