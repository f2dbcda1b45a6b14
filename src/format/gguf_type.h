/* Constants of the GGUF format: value types of metadata, and the default alignment. */
#ifndef LES_FORMAT_GGUF_TYPE_H
#define LES_FORMAT_GGUF_TYPE_H

/* As numbered in the file. */
typedef enum les_gguf_type {
  LES_GGUF_U8,
  LES_GGUF_I8,
  LES_GGUF_U16,
  LES_GGUF_I16,
  LES_GGUF_U32,
  LES_GGUF_I32,
  LES_GGUF_F32,
  LES_GGUF_BOOL,
  LES_GGUF_STRING,
  LES_GGUF_ARRAY,
  LES_GGUF_U64,
  LES_GGUF_I64,
  LES_GGUF_F64
} les_gguf_type;

enum { LES_GGUF_ALIGNMENT = 32 }; /* of tensors' data in bytes, unless general.alignment says otherwise */

#endif
