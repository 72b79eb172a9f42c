#ifndef VITRINE_SHADERS_SVD_PRODUCT_PARAMS_H
#define VITRINE_SHADERS_SVD_PRODUCT_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

// C = alpha op(A) op(B) + beta C in double precision, see product.comp. Strides in doubles; matrix y of the
// batch lies that many times `.._batch` doubles further.
struct ProductParams {
  device_address a;    // (m, k), or (k, m) where transposed
  device_address b;    // (k, n), or (n, k) where transposed
  device_address c;    // (parts, m, n): part z the product over its share of k
  double alpha, beta;  // beta 0: C is not read
  uint m, n, k;
  uint a_stride, b_stride, c_stride;
  uint a_batch, b_batch, c_batch;
  uint c_part;  // doubles from one part to the next
};

VITRINE_SHARED_END
#endif
