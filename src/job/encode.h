/* A job's prompts as tokens. */
#ifndef LES_JOB_ENCODE_H
#define LES_JOB_ENCODE_H

#include "data/prompts.h"
#include "job/job.h"
#include "model/model.h"

/* Fills in the tokens of all prompts: plain text with the begin token, or a conversation in the model's chat
 * template. Prompts that are too long, or have no token, are errors. chat_sha256 becomes the digest of the
 * template, "" if no prompt is a conversation. *warning, malloc'ed: NULL, or what is odd about them: special
 * tokens that are spelled out but count as plain text, prompts that are the begin token alone. */
les_status les_prompts_encode(les_prompts *prompts, const les_job *job, const les_model *model,
                              char chat_sha256[65], char **warning);

#endif
