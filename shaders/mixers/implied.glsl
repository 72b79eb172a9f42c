// The weight between two tokens that a recurrent mixer with one decay a head and step implies:
// |w(t, i)| = |q(t) . k(i)| exp(log gain(i) + L(t) - L(i)), L the running sum of log decays.

// Of each (head, position) three floats: L as a sum of two, so that differences of late positions are exact, log gain.
struct Terms {
  vec2 sum;
  float gain;
};

Terms loadTerms(device_address terms, uint index) {
  return Terms(vec2(Floats(terms).at[3 * index], Floats(terms).at[3 * index + 1]), Floats(terms).at[3 * index + 2]);
}

const float kLeastProduct = 1e-37;  // stands for less: its logarithm is finite

// log |q . k|, of a scaled product: the same for all heads that share q and k.
float logProduct(float product) { return log(max(abs(product), kLeastProduct)); }

// log |w|.
float impliedScore(float log_product, Terms query, Terms key) {
  precise float high = query.sum.x - key.sum.x;
  precise float low = query.sum.y - key.sum.y;
  return log_product + key.gain + (high + low);
}
