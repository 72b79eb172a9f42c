#include "ui/figure/normalize_files.h"

#include <gtest/gtest.h>

#include <QList>

namespace vitrine::ui {
namespace {

// A PDF skeleton whose table points at "1 0 obj" and "2 0 obj".
QByteArray pdf(const QByteArray& date, const QByteArray& id) {
  QByteArray text = "%PDF-1.4\n1 0 obj\n<< /CreationDate (" + date + ") >>\nendobj\n";
  qsizetype second = text.size(), first = text.indexOf("1 0 obj");
  text += "2 0 obj\n<< /MediaBox [0 0 252 310] >>\nendobj\n";
  qsizetype table = text.size();
  auto row = [](qsizetype offset, const char* rest) {
    return QByteArray::number(offset).rightJustified(10, '0') + rest;
  };
  text += "xref\n0 3\n" + row(0, " 65535 f \n") + row(first, " 00000 n \n") + row(second, " 00000 n \n");
  text += "trailer\n<< /Size 3 /ID [ <" + id + "> <" + id + "> ] >>\nstartxref\n" +
          QByteArray::number(table) + "\n%%EOF\n";
  return text;
}

TEST(NormalizePdf, DatesOfAnyLengthAndIdsBecomeTheSame) {
  QByteArray utc = normalizePdf(pdf("D:20261123062510Z", "00112233445566778899aabbccddeeff"), 252.28).value();
  QByteArray tokyo =
      normalizePdf(pdf("D:20271123062510+09'00'", "ffeeddccbbaa99887766554433221100"), 252.28).value();
  EXPECT_EQ(utc, tokyo);
  EXPECT_TRUE(utc.contains("(D:20000101000000Z)"));
  EXPECT_TRUE(utc.contains("/MediaBox [0 0 252.28 310]"));
}

// Qt 6.4 writes no ID, but the compressed bytes of an image may read so.
TEST(NormalizePdf, LeavesStreamsAsTheyAre) {
  QByteArray text = pdf("D:20261123062510Z", "00").replace("/ID [ <00> <00> ]", "");
  const QByteArray stream = "stream\n\x9c/ID\x01<\x02\x03>0]\nendstream\n";
  text.insert(text.indexOf("endobj"), stream);
  EXPECT_TRUE(normalizePdf(text, 252.28).value().contains(stream));
}

TEST(NormalizePdf, OffsetsStillPointAtTheirObjects) {
  QByteArray fixed = normalizePdf(pdf("D:20271123062510+09'00'", "ab"), 252.28).value();
  qsizetype table = fixed.mid(fixed.lastIndexOf("startxref") + 10).split('\n')[0].toLongLong();
  ASSERT_EQ(fixed.mid(table, 4), "xref");
  for (int object : {1, 2}) {
    qsizetype offset = fixed.mid(table + 9 + 20 * object, 10).toLongLong();
    EXPECT_EQ(fixed.mid(offset, 7), QByteArray::number(object) + " 0 obj");
  }
}

TEST(NormalizePdf, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(normalizePdf("%PDF-1.5 with a stream of references", 252));
}

}  // namespace
}  // namespace vitrine::ui
