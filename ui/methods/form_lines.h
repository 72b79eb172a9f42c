// Rows of the forms of the methods window.
#pragma once

#include <QLabel>
#include <QString>
#include <QWidget>

#include <initializer_list>
#include <string_view>

namespace vitrine::ui {

QString textOfView(std::string_view text);

// Of a form's row; all begin their fields at one edge, whichever form they are in.
QLabel* labelOf(const QString& text);

// A line of controls that a form can show and hide as one.
QWidget* lineOf(std::initializer_list<QWidget*> parts);

}  // namespace vitrine::ui
