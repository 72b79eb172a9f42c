#include "ui/widgets/error_banner.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QPushButton>

namespace vitrine::ui {

ErrorBanner::ErrorBanner(QWidget* parent) : QFrame(parent), text_(new QLabel(this)) {
  setObjectName("error_banner");
  setProperty("role", "banner");
  auto* mark = new QLabel(QStringLiteral("!"), this);
  mark->setProperty("role", "error");
  mark->setStyleSheet("font-weight: 700;");
  text_->setWordWrap(true);
  text_->setTextFormat(Qt::PlainText);
  text_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  auto* copy = new QPushButton(tr("Copy details"), this);
  copy->setObjectName("copy_details");
  copy->setToolTip(tr("Copy the message and its causes to the clipboard"));
  auto* dismiss = new QPushButton(tr("Dismiss"), this);
  dismiss->setObjectName("dismiss");
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(12, 8, 12, 8);
  row->setSpacing(8);
  row->addWidget(mark, 0, Qt::AlignTop);
  row->addWidget(text_, 1);
  row->addWidget(copy, 0, Qt::AlignTop);
  row->addWidget(dismiss, 0, Qt::AlignTop);
  connect(copy, &QPushButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(details_); });
  connect(dismiss, &QPushButton::clicked, this, [this] {
    hide();
    emit dismissed();
  });
  hide();
}

void ErrorBanner::setError(const std::optional<Error>& error) {
  if (!error) {
    details_.clear();
    return hide();
  }
  const QString details = QString::fromStdString(error->describe());
  if (details == details_) return;  // dismissed or shown already
  details_ = details;
  text_->setText(details);
  show();
}

QString ErrorBanner::details() const {
  return details_;
}

}  // namespace vitrine::ui
