/* Chat templates: a prompt as the user's turn of a conversation, up to where the model's answer starts. */
#ifndef LES_TOKEN_CHAT_H
#define LES_TOKEN_CHAT_H

#include "token/tokenizer.h"

/* Encodes a prompt in the template whose tokens the vocabulary has:
 *
 *   Llama 3   <|start_header_id|>user<|end_header_id|>\n\nPROMPT<|eot_id|>
 *             <|start_header_id|>assistant<|end_header_id|>\n\n
 *   Gemma     <start_of_turn>user\nPROMPT<end_of_turn>\n<start_of_turn>model\n
 *
 * (one line each; no system message). White space around the prompt is dropped, as the models' own templates
 * do. `options` are les_encode's: special tokens in the prompt itself count only if asked for. A vocabulary
 * with neither template's tokens is an error. */
les_status les_chat_encode(const les_tokenizer *tok, const char *prompt, size_t n,
                           const les_encode_options *options, les_tokens *t);

#endif
