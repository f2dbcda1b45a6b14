#include "token/chat.h"

#include "base/buffer.h"
#include "base/text.h"
#include "token/vocab.h"

#include <string.h>

/* A template: special tokens and texts in turn. */
typedef struct part {
  enum { END, SPECIAL, TEXT, PROMPT } kind; /* PROMPT: `text`, then the prompt, as one text */
  const char *text;
} part;

static const part llama3[] = {{SPECIAL, "<|start_header_id|>"},
                              {TEXT, "user"},
                              {SPECIAL, "<|end_header_id|>"},
                              {PROMPT, "\n\n"},
                              {SPECIAL, "<|eot_id|>"},
                              {SPECIAL, "<|start_header_id|>"},
                              {TEXT, "assistant"},
                              {SPECIAL, "<|end_header_id|>"},
                              {TEXT, "\n\n"},
                              {END, NULL}};
static const part gemma[] = {{SPECIAL, "<start_of_turn>"},
                             {PROMPT, "user\n"},
                             {SPECIAL, "<end_of_turn>"},
                             {TEXT, "\n"},
                             {SPECIAL, "<start_of_turn>"},
                             {TEXT, "model\n"},
                             {END, NULL}};

static bool fits(const les_tokenizer *tok, const part *template) {
  for (; template->kind != END; template ++)
    if (template->kind == SPECIAL && les_tokenizer_find(tok, template->text) < 0) return false;
  return true;
}

static const part *find_template(const les_tokenizer *tok) {
  return fits(tok, llama3) ? llama3 : fits(tok, gemma) ? gemma : NULL;
}

static les_status append_text(const les_tokenizer *tok, const les_buffer *text, bool special, les_ids *ids) {
  les_tokens t;
  LES_TRY(les_buffer_status(text));
  LES_TRY(les_encode(tok, text->data, text->n, &(les_encode_options){.special = special}, &t));
  for (int i = 0; i < t.n; i++) les_ids_append(ids, t.ids[i]);
  les_tokens_free(&t);
  return LES_OK;
}

les_status les_chat_encode(const les_tokenizer *tok, const char *prompt, size_t n,
                           const les_encode_options *options, les_tokens *t) {
  *t = (les_tokens){0};
  const part *template = find_template(tok);
  if (!template)
    return les_fail(LES_FAILED, "the vocabulary has neither Llama 3's nor Gemma's chat tokens: write the "
                                "model's template into the prompt and let special tokens count (--special)");
  size_t lead = les_text_leading(prompt, n, les_is_white_space);
  prompt += lead, n -= lead;
  n -= les_text_trailing(prompt, n, les_is_white_space);
  les_ids ids = {0};
  les_status status = LES_OK;
  if (options->bos && les_tokenizer_bos(tok) >= 0) les_ids_append(&ids, les_tokenizer_bos(tok));
  for (const part *p = template; p->kind != END && status == LES_OK; p++) {
    if (p->kind == SPECIAL) {
      les_ids_append(&ids, les_tokenizer_find(tok, p->text));
      continue;
    }
    les_buffer text = {0};
    les_buffer_append(&text, p->text, strlen(p->text));
    if (p->kind == PROMPT) les_buffer_append(&text, prompt, n);
    status = append_text(tok, &text, options->special, &ids);
    les_buffer_free(&text);
  }
  if (status == LES_OK && (ids.failed || ids.n > INT32_MAX)) status = les_no_memory("%zu tokens", ids.n);
  if (status == LES_OK)
    *t = (les_tokens){ids.data, (int)ids.n};
  else
    les_ids_free(&ids);
  return status;
}
