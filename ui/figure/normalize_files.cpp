#include "ui/figure/normalize_files.h"

#include <QCryptographicHash>
#include <QList>
#include <QString>
#include <algorithm>

namespace vitrine::ui {
namespace {

constexpr char kDate[] = "(D:20000101000000Z)";

// Everything behind `place` has moved by so many bytes.
struct Shift {
  qsizetype place = 0, by = 0;
};

Shift replaceRange(QByteArray& pdf, qsizetype begin, qsizetype end, const QByteArray& with) {
  pdf.replace(begin, end - begin, with);
  return {begin, with.size() - (end - begin)};
}

// The date string that follows `key`.
Shift replaceDate(QByteArray& pdf, const QByteArray& key) {
  qsizetype at = pdf.indexOf(key);
  if (at < 0) return {};
  qsizetype begin = pdf.indexOf('(', at), end = pdf.indexOf(')', begin);
  return begin < 0 || end < 0 ? Shift{} : replaceRange(pdf, begin, end + 1, kDate);
}

// "/MediaBox [0 0 252 310]": the third number.
Shift replaceWidth(QByteArray& pdf, double width) {
  const QByteArray key = "/MediaBox [0 0 ";
  qsizetype begin = pdf.indexOf(key) + key.size(), end = pdf.indexOf(' ', begin);
  if (begin < key.size() || end < 0) return {};
  return replaceRange(pdf, begin, end, QByteArray::number(width, 'g', 7));
}

// Entries of the table are 20 bytes: ten digits of offset, five of generation, 'n' or 'f'.
Result<void> moveOffsets(QByteArray& pdf, const std::vector<Shift>& shifts) {
  constexpr qsizetype kEntry = 20, kDigits = 10;
  qsizetype start = pdf.lastIndexOf("startxref"), table = pdf.lastIndexOf("\nxref", start);
  if (start < 0 || table < 0)
    return fail(ErrorCode::kUnsupported,
                "the PDF that this Qt writes has no cross-reference table; its date cannot be fixed");
  auto moved = [&shifts](qsizetype offset) {
    for (const Shift& shift : shifts)
      if (offset > shift.place) offset += shift.by;
    return offset;
  };
  qsizetype header = table + 1;                    // "xref"
  qsizetype line = pdf.indexOf('\n', header) + 1;  // "0 55"
  qsizetype entry = pdf.indexOf('\n', line) + 1;
  for (; entry + kEntry <= pdf.size() && pdf[entry] >= '0' && pdf[entry] <= '9'; entry += kEntry) {
    qsizetype offset = pdf.mid(entry, kDigits).toLongLong();
    if (pdf.mid(entry + kDigits + 7, 1) != "n") continue;
    pdf.replace(entry, kDigits, QByteArray::number(moved(offset)).rightJustified(kDigits, '0'));
  }
  qsizetype number = pdf.indexOf('\n', start) + 1, end = pdf.indexOf('\n', number);
  pdf.replace(number, end - number, QByteArray::number(header));
  return {};
}

// "/ID [ <hex> <hex> ]" of newer Qt: digits of a hash of the rest, as many as there were. In the trailer
// alone: the bytes of an image may read "/ID" too.
void replaceId(QByteArray& pdf) {
  qsizetype at = pdf.indexOf("/ID", std::max<qsizetype>(pdf.lastIndexOf("trailer"), 0));
  qsizetype end = at < 0 ? -1 : pdf.indexOf(']', at);
  if (end < 0) return;
  for (qsizetype i = at; i < end; ++i)
    if (pdf[i] == '<')
      while (++i < end && pdf[i] != '>') pdf[i] = '0';
  QByteArray digits = QCryptographicHash::hash(pdf, QCryptographicHash::Sha256).toHex();
  for (qsizetype i = at, next = 0; i < end; ++i)
    if (pdf[i] == '0') pdf[i] = digits[next++ % 32];
}

QByteArray familyList(const std::vector<std::string>& families, const char* generic) {
  QByteArray list;
  for (const std::string& family : families) list += QByteArray::fromStdString(family) + ", ";
  return "font-family=\"" + list + generic + "\"";
}

}  // namespace

Result<QByteArray> normalizePdf(QByteArray pdf, double page_width_points) {
  std::vector<Shift> shifts;
  for (const char* key : {"/CreationDate", "/ModDate"}) shifts.push_back(replaceDate(pdf, key));
  shifts.push_back(replaceWidth(pdf, page_width_points));
  TRY(moveOffsets(pdf, shifts));
  replaceId(pdf);
  return pdf;
}

QByteArray normalizeSvg(QByteArray svg, const core::FigurePreset& preset) {
  QByteArray sans = familyList(preset.sans, "sans-serif"), mono = familyList(preset.mono, "monospace");
  svg.replace("font-family=\"" + QByteArray::fromStdString(preset.sans.front()) + "\"", sans);
  svg.replace("font-family=\"" + QByteArray::fromStdString(preset.mono.front()) + "\"", mono);
  svg.replace("image-rendering=\"optimizeSpeed\"",
              "style=\"image-rendering:optimizeSpeed;image-rendering:pixelated\"");
  return svg;
}

}  // namespace vitrine::ui
