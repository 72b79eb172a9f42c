#include "ui/widgets/state_page.h"

#include "ui/widgets/format.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

#include <algorithm>

namespace vitrine::ui {

QString progressText(const core::Snapshot& snapshot) {
  QString text = QString::fromStdString(snapshot.activity);
  if (snapshot.progress_total == 0) return text;
  const bool bytes = snapshot.state == core::EngineState::kLoading;
  auto amount = [bytes](std::uint64_t value) { return bytes ? bytesText(value) : QString::number(value); };
  text += QStringLiteral(" · ") +
          StatePage::tr("%1 of %2").arg(amount(snapshot.progress_done), amount(snapshot.progress_total));
  return bytes ? text : text + StatePage::tr(" tokens");
}

int progressPermille(const core::Snapshot& snapshot) {
  if (snapshot.progress_total == 0) return 0;
  return int(1000.0 * double(std::min(snapshot.progress_done, snapshot.progress_total)) /
             double(snapshot.progress_total));
}

StatePage::StatePage(QWidget* parent)
    : QWidget(parent),
      title_(new QLabel(this)),
      detail_(new ElidedLabel(this)),
      bar_(new QProgressBar(this)),
      open_file_(new QPushButton(tr("Open file…"), this)),
      open_folder_(new QPushButton(tr("Open folder…"), this)),
      write_prompt_(new QPushButton(tr("Write a prompt"), this)),
      cancel_(new QPushButton(tr("Cancel"), this)) {
  setObjectName("state_page");
  setProperty("role", "canvas");
  setAttribute(Qt::WA_StyledBackground);
  title_->setProperty("role", "title");
  title_->setAlignment(Qt::AlignCenter);
  title_->setWordWrap(true);
  detail_->setProperty("role", "secondary");
  detail_->setAlignment(Qt::AlignCenter);
  open_file_->setProperty("primary", true);
  write_prompt_->setProperty("primary", true);
  bar_->setTextVisible(false);
  bar_->setRange(0, 1000);
  bar_->setFixedWidth(320);

  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(8);
  buttons->addStretch();
  for (auto* button : {open_file_, open_folder_, write_prompt_, cancel_}) buttons->addWidget(button);
  buttons->addStretch();
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(24, 24, 24, 24);
  column->setSpacing(12);
  column->addStretch();
  column->addWidget(title_);
  column->addWidget(detail_);
  column->addWidget(bar_, 0, Qt::AlignHCenter);
  column->addSpacing(4);
  column->addLayout(buttons);
  column->addStretch();
  connect(open_file_, &QPushButton::clicked, this, &StatePage::openFile);
  connect(open_folder_, &QPushButton::clicked, this, &StatePage::openFolder);
  connect(write_prompt_, &QPushButton::clicked, this, &StatePage::writePrompt);
  connect(cancel_, &QPushButton::clicked, this, &StatePage::cancel);
  showEmpty();
}

void StatePage::showEmpty() {
  title_->setText(tr("Open a model to look inside it."));
  detail_->setFullText(
      tr("A GGUF file, or a folder with safetensors and config.json. Dropping it here works too."));
  showOnly({open_file_, open_folder_});
}

void StatePage::showNoTokens() {
  title_->setText(tr("The model has read nothing yet."));
  detail_->setFullText(tr("Its attention appears here as soon as it reads a prompt."));
  showOnly({write_prompt_});
}

void StatePage::showProgress(const core::Snapshot& snapshot) {
  title_->setText(QString::fromStdString(snapshot.activity));
  detail_->setFullText(progressText(snapshot));
  bar_->setRange(0, snapshot.progress_total == 0 ? 0 : 1000);
  bar_->setValue(progressPermille(snapshot));
  showOnly({bar_, cancel_});
}

void StatePage::showOnly(const std::vector<QWidget*>& parts) {
  for (QWidget* part :
       std::initializer_list<QWidget*>{open_file_, open_folder_, write_prompt_, cancel_, bar_})
    part->setVisible(std::find(parts.begin(), parts.end(), part) != parts.end());
}

}  // namespace vitrine::ui
