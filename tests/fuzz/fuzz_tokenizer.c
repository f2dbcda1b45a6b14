/* tokenizer.json files, and GGUF files with a vocabulary: whatever the bytes, a tokenizer that encodes and
 * decodes, or an error, no crash. */
#include "fuzz.h"
#include "token/tokenizer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static les_tokenizer *open_tokenizer(const char *path, bool gguf) {
  les_tokenizer *tok;
  les_gguf *g;
  if (!gguf) return les_tokenizer_open_json(&tok, path, path) == LES_OK ? tok : NULL;
  if (les_gguf_open(&g, path) != LES_OK) return NULL;
  les_tokenizer_open_gguf(&tok, g);
  les_gguf_close(&g);
  return tok;
}

static void use(const les_tokenizer *tok) {
  static const char text[] =
      "  The caf\u00e9's 123 <s>the</s> \u6771\u4eac\n\n e\u0301 \xff\xe2\x82 \U0001f642\t aaaaaaaa";
  for (int special = 0; special < 2; special++) {
    les_tokens t;
    char *back;
    les_encode_options how = {.bos = true, .special = special};
    if (les_encode(tok, text, sizeof text, &how, &t) != LES_OK) continue;
    if (les_decode(tok, t.ids, t.n, &back) == LES_OK) free(back);
    les_tokens_free(&t);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  char path[64];
  int fd = fuzz_file(data, n, path);
  les_tokenizer *tok = open_tokenizer(path, n >= 4 && !memcmp(data, "GGUF", 4));
  if (tok) {
    fuzz_taken++;
    use(tok);
  }
  les_tokenizer_close(&tok);
  close(fd);
  return 0;
}
