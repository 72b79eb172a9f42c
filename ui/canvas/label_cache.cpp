#include "ui/canvas/label_cache.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <QFont>
#include <QFontMetricsF>
#include <QImage>
#include <QPainter>

namespace vitrine::ui {
namespace {
constexpr std::uint32_t kSide = 1024;  // of the texture, device pixels
constexpr std::uint32_t kGap = 1;      // keeps neighbours out of each other's filtering

bool isSign(QChar c) {
  return c.unicode() < 128 && c.isPrint() && !c.isLetterOrNumber() && c != ' ';
}

// A token "!=" is drawn as its two characters, not as a programmer's ligature of them.
QString withoutLigatures(const QString& text) {
  constexpr QChar kNonJoiner(0x200c);
  QString apart;
  for (qsizetype i = 0; i < text.size(); ++i) {
    if (i > 0 && isSign(text[i]) && isSign(text[i - 1])) apart += kNonJoiner;
    apart += text[i];
  }
  return apart;
}

}  // namespace

Result<std::unique_ptr<LabelCache>> LabelCache::create(gpu::Device& device, DrawRenderer& renderer) {
  std::unique_ptr<LabelCache> cache(new LabelCache(renderer));
  TRY_ASSIGN(gpu::Image image,
             gpu::Image::create(device, kSide, kSide, VK_FORMAT_R8G8B8A8_UNORM, "canvas labels"));
  cache->texture_.image = std::make_shared<gpu::Image>(std::move(image));
  return cache;
}

std::size_t LabelCache::KeyHash::operator()(const Key& key) const {
  return std::hash<std::string>()(key.text) * 31 + std::size_t(key.pixel_size) * 4096 +
         std::size_t(key.max_width) * 2 + std::size_t(key.font);
}

bool LabelCache::beginFrame(double pixel_ratio, const Fonts& fonts) {
  const bool were_missing = full_;
  if (full_ || pixel_ratio != pixel_ratio_ || labels_.empty()) {
    labels_.clear();
    shelf_x_ = shelf_y_ = shelf_height_ = 0;
    full_ = false;
    pixel_ratio_ = pixel_ratio;
    fonts_ = fonts;
  }
  return were_missing;
}

Label LabelCache::get(const std::string& text, int pixel_size, float max_width, LabelFont font) {
  if (text.empty()) return {};
  Key key{text, pixel_size, int(std::ceil(max_width)), font};
  if (const auto found = labels_.find(key); found != labels_.end()) return found->second;
  const Label label = rasterize(key);
  if (label.width > 0) labels_.emplace(std::move(key), label);
  return label;
}

Label LabelCache::rasterize(const Key& key) {
  const bool mono = key.font == LabelFont::kMono;
  QFont font(QString::fromUtf8(mono ? fonts_.mono_family : fonts_.interface_family));
  font.setStyleHint(mono ? QFont::Monospace : QFont::SansSerif);
  font.setPixelSize(std::max(1, int(std::lround(key.pixel_size * pixel_ratio_))));
  const QFontMetricsF metrics(font);
  const QString text = withoutLigatures(
      metrics.elidedText(QString::fromStdString(key.text), Qt::ElideMiddle, key.max_width * pixel_ratio_));
  const auto width =
      std::uint32_t(std::ceil(metrics.horizontalAdvance(text))) + 2;  // italics and marks overhang
  const auto height = std::uint32_t(std::ceil(metrics.height()));
  if (width > kSide || height > kSide) return {};
  if (shelf_x_ + width > kSide) {
    shelf_x_ = 0;
    shelf_y_ += shelf_height_ + kGap;
    shelf_height_ = 0;
  }
  if (shelf_y_ + height > kSide) {
    full_ = true;
    return {};
  }
  QImage image(int(width), int(height), QImage::Format_RGBA8888_Premultiplied);
  image.fill(Qt::transparent);
  QPainter painter(&image);
  painter.setFont(font);
  painter.setPen(Qt::white);
  painter.drawText(QPointF(1, std::round(metrics.ascent())), text);
  painter.end();
  image = std::move(image).convertToFormat(QImage::Format_RGBA8888);  // the canvas blends straight alpha
  renderer_.upload(texture_.image, shelf_x_, shelf_y_, width, height,
                   std::as_bytes(std::span(image.constBits(), std::size_t(image.sizeInBytes()))));
  Label label;
  label.width = float(width / pixel_ratio_);
  label.height = float(height / pixel_ratio_);
  label.uv0 = {float(shelf_x_) / kSide, float(shelf_y_) / kSide};
  label.uv1 = {float(shelf_x_ + width) / kSide, float(shelf_y_ + height) / kSide};
  shelf_x_ += width + kGap;
  shelf_height_ = std::max(shelf_height_, height);
  return label;
}

}  // namespace vitrine::ui
