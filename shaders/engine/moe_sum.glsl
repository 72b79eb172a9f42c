// Where a mixture's output goes. Needs `params` with y, y_stride, shared_out, gate, gate_stride, scale.
layout(constant_id = 10) const bool ADD = false;

// `sum`: of the chosen experts' weighted outputs.
void emitSum(uint token, uint row, float sum) {
  uint index = token * params.y_stride + row;
  if (params.shared_out != 0) {
    float part = Floats(params.shared_out).at[index];
    if (params.gate != 0) part /= 1.0 + exp(-Floats(params.gate).at[token * params.gate_stride]);
    sum += part;
  }
  sum *= params.scale;
  Floats(params.y).at[index] = ADD ? Floats(params.y).at[index] + sum : sum;
}
