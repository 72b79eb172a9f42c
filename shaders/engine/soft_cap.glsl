// cap * tanh(score / cap). Beyond 15 tanh is 1 in float, and its exponentials would overflow on some devices.
float softCap(float score, float cap) { return cap * tanh(clamp(score / cap, -15.0, 15.0)); }
