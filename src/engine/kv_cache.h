/* The KV cache of one sequence, layer by layer. Its first positions may be shared with the cache of the
 * baseline from which the sequence branches. */
#ifndef LES_ENGINE_KV_CACHE_H
#define LES_ENGINE_KV_CACHE_H

#include "lesion/lesion_plan.h"
#include "model/model.h"

typedef struct les_kv_cache les_kv_cache;

/* A cache for at most `capacity` positions of a sequence under `lesion_plan` (NULL: intact). `parent` (may be
 * NULL) is the cache of an intact sequence and outlives this one; nothing of it is shared until
 * les_kv_cache_share. Memory for a layer is allocated when the layer is first run. */
les_status les_kv_cache_open(les_kv_cache **out, const les_model *model, const les_lesion_plan *lesion_plan,
                             const les_kv_cache *parent, int capacity);
void les_kv_cache_close(les_kv_cache **cache);

/* Shares the parent's positions below n at the layers below `layer`. They must hold the same tokens, nothing
 * below `layer` may differ from the intact model, and this cache must be empty there. */
void les_kv_cache_share(les_kv_cache *cache, int layer, int n);

/* Bytes of keys and values of `capacity` positions at layers from first_layer on. */
size_t les_kv_cache_bytes(const les_model *model, int capacity, int first_layer);

/* What the lesion makes of the layer; NULL: the model's own. */
const les_layer_plan *les_kv_cache_plan(const les_kv_cache *cache, int layer);

/* Allocates `layer`, before any of its positions is written. Not thread-safe for one cache. */
les_status les_kv_cache_reserve(les_kv_cache *cache, int layer);

/* The keys and values of a position that is this cache's own: (n_kv_heads * head_dim) each. */
float *les_kv_cache_key(const les_kv_cache *cache, int layer, int pos);
float *les_kv_cache_value(const les_kv_cache *cache, int layer, int pos);

/* The positions from .. to - 1 at `layer`, of key-value head `head`, as at most two spans (shared and own);
 * returns their number. */
int les_kv_cache_spans(const les_kv_cache *cache, int layer, int head, int from, int to,
                       les_kv_span spans[2]);

#endif
