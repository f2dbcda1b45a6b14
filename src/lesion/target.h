/* What a lesion does to what, in the words of its spec: as result files say it beside the spec. */
#ifndef LES_LESION_TARGET_H
#define LES_LESION_TARGET_H

#include "lesion/lesion.h"

typedef struct les_target {
  const char *operation; /* "svd"; "none": the intact model; "several": more than one edit */
  char part[32];         /* "block", "attn", "attn.head3", "mlp.down"; "none" and "several" as above */
  const char *dose_key;  /* what `dose` is: "sigma", "rank", "keep", "alpha"; "type": bits per weight; "": the
                            operation has no dose, or there is not one edit */
  double dose;           /* NaN: none */
} les_target;

les_target les_lesion_target(const les_lesion *lesion);

#endif
