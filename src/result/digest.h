/* What a result file says, as one number. */
#ifndef LES_RESULT_DIGEST_H
#define LES_RESULT_DIGEST_H

#include "base/status.h"

/* SHA-256 in hex over name, type, shape and bytes of all data sets of an HDF5 file in name order: equal
 * results, equal digest, however the file came about. Attributes and the file's own layout do not count. */
les_status les_result_sha256(const char *path, char hex[65]);

#endif
