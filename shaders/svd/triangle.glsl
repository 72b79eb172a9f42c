// Row and column of a tile on or below the diagonal, numbered row by row.
uvec2 triangle(uint tile) {
  uint row = uint((sqrt(8.0 * float(tile) + 1.0) - 1.0) / 2.0);
  while (row * (row + 1) / 2 > tile) --row;
  while ((row + 1) * (row + 2) / 2 <= tile) ++row;
  return uvec2(row, tile - row * (row + 1) / 2);
}
