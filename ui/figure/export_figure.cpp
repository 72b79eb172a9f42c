#include "ui/figure/export_figure.h"

#include <QBuffer>
#include <QGuiApplication>
#include <QHashFunctions>
#include <QImage>
#include <QPageSize>
#include <QPainter>
#include <QPdfWriter>
#include <QSvgGenerator>
#include <cmath>
#include <mutex>

#include "core/figure/layout.h"
#include "ui/figure/drawing_painter.h"
#include "ui/figure/normalize_files.h"
#include "ui/figure/qt_fonts.h"

namespace vitrine::ui {
namespace {

constexpr double kPointsPerInch = 72;
constexpr int kUnitsPerInch = static_cast<int>(kPointsPerInch * kUnitsPerPoint);
constexpr int kLeastDpi = 36, kMostDpi = 2400;
constexpr double kMostPixels = 200e6;

// Qt's PDF engine writes fonts in the order of a hash table, whose seed is random in every process. The seed
// is the process's, so exports on several threads take turns.
class FixedHashSeed {
 public:
  FixedHashSeed() { QHashSeed::setDeterministicGlobalSeed(); }
  ~FixedHashSeed() { QHashSeed::resetRandomGlobalSeed(); }

 private:
  static inline std::mutex mutex_;
  std::lock_guard<std::mutex> turn_{mutex_};
};

Result<QByteArray> pdfOf(const core::Drawing& drawing, const core::Figure& figure,
                         const core::FigurePreset& preset) {
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  {
    QPdfWriter writer(&buffer);
    writer.setPdfVersion(QPagedPaintDevice::PdfVersion_1_4);
    writer.setResolution(kUnitsPerInch);
    writer.setPageSize(
        QPageSize(QSizeF(drawing.width, drawing.height), QPageSize::Point, {}, QPageSize::ExactMatch));
    writer.setPageMargins(QMarginsF(0, 0, 0, 0));
    writer.setTitle(QString::fromStdString(figure.name));
    writer.setCreator(QStringLiteral("Vitrine"));
    QPainter painter;
    if (!painter.begin(&writer)) return fail(ErrorCode::kIo, "the PDF writer of Qt could not start");
    paintDrawing(painter, drawing, preset, RasterDetail::kEnlarged);
  }
  return normalizePdf(std::move(bytes), drawing.width);
}

Result<QByteArray> svgOf(const core::Drawing& drawing, const core::Figure& figure,
                         const core::FigurePreset& preset) {
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  {
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setResolution(kUnitsPerInch);
    QSize size(static_cast<int>(std::lround(drawing.width * kUnitsPerPoint)),
               static_cast<int>(std::lround(drawing.height * kUnitsPerPoint)));
    generator.setSize(size);
    generator.setViewBox(QRect(QPoint(0, 0), size));
    generator.setTitle(QString::fromStdString(figure.name));
    generator.setDescription(QString::fromStdString(figure.caption));
    QPainter painter;
    if (!painter.begin(&generator)) return fail(ErrorCode::kIo, "the SVG writer of Qt could not start");
    paintDrawing(painter, drawing, preset, RasterDetail::kEnlarged);
  }
  return normalizeSvg(std::move(bytes), preset);
}

Result<QImage> imageOf(const core::Drawing& drawing, const core::FigurePreset& preset, int dpi) {
  double scale = dpi / kPointsPerInch;
  if (dpi < kLeastDpi || dpi > kMostDpi || drawing.width * drawing.height * scale * scale > kMostPixels)
    return fail(ErrorCode::kInvalidArgument,
                "{} dots per inch are outside {} .. {} or make an image of more than 200 megapixels", dpi,
                kLeastDpi, kMostDpi);
  QImage image(static_cast<int>(std::lround(drawing.width * scale)),
               static_cast<int>(std::lround(drawing.height * scale)), QImage::Format_RGB32);
  if (image.isNull())
    return fail(ErrorCode::kOutOfMemory, "no memory for a picture of {} dots per inch", dpi);
  image.fill(Qt::white);
  int per_metre = static_cast<int>(std::lround(dpi / 0.0254));
  image.setDotsPerMeterX(per_metre);
  image.setDotsPerMeterY(per_metre);
  QPainter painter(&image);
  painter.scale(dpi / static_cast<double>(kUnitsPerInch), dpi / static_cast<double>(kUnitsPerInch));
  paintDrawing(painter, drawing, preset, RasterDetail::kAsIs);
  return image;
}

Result<QByteArray> pngOf(const core::Drawing& drawing, const core::FigurePreset& preset, int dpi) {
  TRY_ASSIGN(QImage image, imageOf(drawing, preset, dpi));
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  if (!image.save(&buffer, "PNG"))
    return fail(ErrorCode::kIo, "encoding a PNG of {} x {} pixels failed", image.width(), image.height());
  return bytes;
}

Result<void> checkApplication() {
  if (qobject_cast<QGuiApplication*>(QCoreApplication::instance()) != nullptr) return {};
  return fail(ErrorCode::kUnsupported,
              "pictures of figures need a QGuiApplication for their fonts; start one "
              "(QT_QPA_PLATFORM=offscreen without a display)");
}

Result<core::Drawing> drawingOf(const core::Figure& figure, const core::FigurePreset& preset) {
  TRY(checkApplication());
  return core::layoutFigure(figure, preset, QtTextMeasure(preset));
}

Result<QByteArray> pictureOf(core::FigureFormat format, const core::Drawing& drawing,
                             const core::Figure& figure, const core::FigurePreset& preset,
                             const FigureExportOptions& options) {
  switch (format) {
    case core::FigureFormat::kPdf:
      return pdfOf(drawing, figure, preset);
    case core::FigureFormat::kSvg:
      return svgOf(drawing, figure, preset);
    case core::FigureFormat::kPng:
      return pngOf(drawing, preset, options.png_dpi);
    default:
      VITRINE_ASSERT(!"not a picture");
  }
}

}  // namespace

Result<std::vector<std::filesystem::path>> exportFigure(const core::Figure& figure,
                                                        const core::FigurePreset& preset,
                                                        std::span<const core::FigureFormat> formats,
                                                        const core::FigureTarget& target,
                                                        const core::Provenance& provenance,
                                                        const FigureExportOptions& options) {
  FixedHashSeed seed;
  std::vector<std::filesystem::path> written;
  std::vector<core::FigureFormat> pictures, data;
  for (core::FigureFormat format : formats) (core::isPicture(format) ? pictures : data).push_back(format);
  if (!pictures.empty()) {
    TRY_ASSIGN(core::Drawing drawing, drawingOf(figure, preset));
    for (core::FigureFormat format : pictures) {
      TRY_ASSIGN(QByteArray bytes, pictureOf(format, drawing, figure, preset, options));
      written.push_back(core::figurePath(target, format));
      TRY(core::writeFigureFile(written.back(), {bytes.constData(), static_cast<std::size_t>(bytes.size())}));
      if (options.written) options.written();
    }
  }
  TRY_ASSIGN(std::vector<std::filesystem::path> beside,
             core::exportFigureData(figure, preset, data, target, provenance));
  if (options.written) options.written();
  written.insert(written.end(), beside.begin(), beside.end());
  return written;
}

Result<QImage> renderFigure(const core::Figure& figure, const core::FigurePreset& preset, int dpi) {
  TRY_ASSIGN(core::Drawing drawing, drawingOf(figure, preset));
  return imageOf(drawing, preset, dpi);
}

}  // namespace vitrine::ui
