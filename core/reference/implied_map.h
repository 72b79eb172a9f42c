// The attention that a recurrent mixer with one decay a head and step implies. Unrolled, its outputs are
// y(t) = sum over i <= t of w(t, i) v(i) with w(t, i) = (q(t) . k(i)) gain(i) exp(L(t) - L(i)), L the running
// sum of log decays (state space duality: Dao and Gu, arXiv:2405.21060). The map shown is
// m(t, i) = |w(t, i)| / sum over j <= t of |w(t, j)| (absolute values as in Ali et al., arXiv:2403.01590).
#pragma once

#include "core/reference/reference.h"

namespace vitrine::core {

// (T, T), w of a head, 0 above the diagonal.
ReferenceMatrix impliedWeights(const ReferenceLinearForm& form, std::uint32_t head);
// (T, T), m of a head: rows sum to 1, 0 above the diagonal.
ReferenceMatrix impliedMap(const ReferenceLinearForm& form, std::uint32_t head);

}  // namespace vitrine::core
