// Qt's style sheet, made from the design tokens.
#pragma once

#include "ui/theme/tokens.h"

#include <QString>

namespace vitrine::ui {

QString styleSheet(const Theme& theme);

}  // namespace vitrine::ui
