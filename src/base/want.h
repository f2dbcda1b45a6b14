/* What is wanted of an input: measures say it, the engine does it. */
#ifndef LES_BASE_WANT_H
#define LES_BASE_WANT_H

/* Flags. */
enum {
  LES_WANT_FORCED = 1,      /* teacher-forced nll and greedy, over the input and the intact continuation */
  LES_WANT_KL = 2,          /* kl and agrees; implies LES_WANT_FORCED */
  LES_WANT_LAST_LOGITS = 4, /* the logits after the input's last token; nothing may be generated */
  LES_WANT_TRACE = 8,       /* of each new token; and of each layer, which implies LES_WANT_FORCED */
  LES_WANT_LOGPROB_INTACT = 16, /* log-probability of the continuation under the intact model */
};

#endif
