/* What the writers of both formats share: the list of tensors. And the headers that precede their data. */
#ifndef LES_SYNTH_SYNTH_FILE_H
#define LES_SYNTH_SYNTH_FILE_H

#include "base/buffer.h"
#include "synth/synth_spec.h"

typedef struct les_synth_tensor {
  les_tensor_name name;
  int n_dims;
  int64_t dims[2]; /* dims[0] is the fastest */
  les_dtype type;
  float mean, deviation;
  const float *values; /* given numbers instead of random ones; NULL: random */
  uint64_t offset;     /* from the first tensor's data on */
  size_t bytes;
} les_synth_tensor;

typedef struct les_synth_tensors {
  les_synth_tensor *items;
  int n;
  uint64_t bytes; /* of all data */
} les_synth_tensors;

/* The bytes of a file before its tensors' data. */
les_status les_synth_gguf_header(const les_synth *s, const les_synth_tensors *t, les_buffer *out);
les_status les_synth_hub_header(const les_synth_tensors *t, les_buffer *out);

/* config.json and tokenizer.json in `folder`. */
les_status les_synth_hub_settings(const les_synth *s, const char *folder);

#endif
