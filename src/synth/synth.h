/* Made-up models: files with random weights, of any supported architecture, size, weight type and format, to
 * measure and to test with. The same description gives the same bytes. */
#ifndef LES_SYNTH_SYNTH_H
#define LES_SYNTH_SYNTH_H

#include "synth/synth_spec.h"

/* Writes a GGUF file if `path` ends with .gguf, else a folder with config.json, tokenizer.json and
 * model.safetensors. Memory does not depend on the model's size. A type, vocabulary or architecture that the
 * format or the shape does not allow is LES_USAGE. */
les_status les_synth_write(const char *path, const les_synth *s);

#endif
