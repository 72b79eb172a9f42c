#include "ui/theme/style.h"

#include "ui/theme/theme_controller.h"

#include <QAbstractSpinBox>
#include <QPainter>
#include <QStyleFactory>
#include <QStyleOption>

namespace vitrine::ui {
namespace {

enum class Direction { kUp, kDown, kRight };

// A thin chevron centred in `rect`.
void drawChevron(QPainter& painter, const QRectF& rect, Direction direction, double half,
                 const QColor& color) {
  const QPointF c = rect.center();
  const double quarter = half / 2;
  QPolygonF line;
  switch (direction) {
    case Direction::kUp:
      line << c + QPointF(-half, quarter) << c + QPointF(0, -quarter) << c + QPointF(half, quarter);
      break;
    case Direction::kDown:
      line << c + QPointF(-half, -quarter) << c + QPointF(0, quarter) << c + QPointF(half, -quarter);
      break;
    case Direction::kRight:
      line << c + QPointF(-quarter, -half) << c + QPointF(quarter, 0) << c + QPointF(-quarter, half);
      break;
  }
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(QPen(color, 1.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  painter.setBrush(Qt::NoBrush);
  painter.drawPolyline(line);
}

}  // namespace

Style::Style(const Theme& theme) : QProxyStyle(QStyleFactory::create("Fusion")), theme_(theme) {}

void Style::drawField(QPainter& painter, const QRect& rect, const QStyleOption& option) const {
  const Colors& colors = theme_.colors;
  const bool enabled = option.state & State_Enabled;
  const bool focus = enabled && (option.state & State_HasFocus);
  const bool hover = enabled && (option.state & State_MouseOver);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(QPen(toQt(focus ? colors.accent : colors.control_border), 1));
  painter.setBrush(toQt(!enabled ? colors.dock
                        : hover  ? mix(colors.field, colors.hover, 0.5f)
                                 : colors.field));
  painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), theme_.sizes.corner,
                          theme_.sizes.corner);
}

void Style::drawCheckBox(QPainter& painter, const QStyleOption& option) const {
  const Colors& colors = theme_.colors;
  const bool on = option.state & State_On;
  const bool enabled = option.state & State_Enabled;
  const QRectF box = QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -0.5);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(QPen(toQt(on && enabled ? colors.primary : colors.control_border), 1));
  painter.setBrush(toQt(on && enabled ? colors.primary : colors.field));
  painter.drawRoundedRect(box, 3, 3);
  if (!on) return;
  const double u = box.width() / 10;
  QPolygonF mark;
  mark << box.topLeft() + QPointF(2.2 * u, 5.2 * u) << box.topLeft() + QPointF(4.2 * u, 7.2 * u)
       << box.topLeft() + QPointF(7.9 * u, 3.0 * u);
  painter.setPen(QPen(toQt(enabled ? colors.primary_text : colors.text_disabled), 1.6, Qt::SolidLine,
                      Qt::RoundCap, Qt::RoundJoin));
  painter.setBrush(Qt::NoBrush);
  painter.drawPolyline(mark);
}

void Style::drawBranch(QPainter& painter, const QStyleOption& option) const {
  if (!(option.state & State_Children)) return;
  const Direction direction = option.state & State_Open ? Direction::kDown : Direction::kRight;
  const bool hover = option.state & State_MouseOver;
  drawChevron(painter, option.rect, direction, theme_.sizes.step * 0.9,
              toQt(hover ? theme_.colors.text : theme_.colors.text_secondary));
}

void Style::drawCombo(QPainter& painter, const QStyleOptionComplex& option) const {
  drawField(painter, option.rect, option);
  const int edge = theme_.sizes.control;
  const QRect arrow(option.rect.right() - edge + 1, option.rect.top(), edge, option.rect.height());
  const bool enabled = option.state & State_Enabled;
  drawChevron(painter, QRectF(arrow).translated(-1, 0), Direction::kDown, theme_.sizes.step * 0.9,
              toQt(enabled ? theme_.colors.text_secondary : theme_.colors.text_disabled));
}

void Style::drawSpin(QPainter& painter, const QStyleOptionComplex& option, const QWidget* widget) const {
  drawField(painter, option.rect, option);
  const auto* spin = qstyleoption_cast<const QStyleOptionSpinBox*>(&option);
  if (!spin || spin->buttonSymbols == QAbstractSpinBox::NoButtons) return;
  auto arrow = [&](SubControl part, Direction direction, QAbstractSpinBox::StepEnabledFlag flag) {
    const QRect rect = subControlRect(CC_SpinBox, &option, part, widget);
    const bool hot = (option.activeSubControls & part) && (option.state & State_MouseOver);
    const bool possible = (option.state & State_Enabled) && (spin->stepEnabled & flag);
    const Rgba color = !possible ? theme_.colors.text_disabled
                       : hot     ? theme_.colors.text
                                 : theme_.colors.text_secondary;
    drawChevron(painter, rect, direction, theme_.sizes.step * 0.75, toQt(color));
  };
  arrow(SC_SpinBoxUp, Direction::kUp, QAbstractSpinBox::StepUpEnabled);
  arrow(SC_SpinBoxDown, Direction::kDown, QAbstractSpinBox::StepDownEnabled);
}

void Style::drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                          const QWidget* widget) const {
  painter->save();
  switch (element) {
    case PE_IndicatorCheckBox:
      drawCheckBox(*painter, *option);
      break;
    case PE_IndicatorBranch:
      drawBranch(*painter, *option);
      break;
    case PE_PanelLineEdit:
      // A spin box or an editable combo box has drawn the field already.
      if (!widget || !qobject_cast<const QAbstractSpinBox*>(widget->parentWidget()))
        drawField(*painter, option->rect, *option);
      break;
    case PE_FrameLineEdit:
    case PE_FrameFocusRect:
      break;  // the field's outline says it
    default:
      QProxyStyle::drawPrimitive(element, option, painter, widget);
  }
  painter->restore();
}

void Style::drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                               const QWidget* widget) const {
  painter->save();
  switch (control) {
    case CC_ComboBox:
      drawCombo(*painter, *option);
      break;
    case CC_SpinBox:
      drawSpin(*painter, *option, widget);
      break;
    default:
      QProxyStyle::drawComplexControl(control, option, painter, widget);
  }
  painter->restore();
}

QRect Style::subControlRect(ComplexControl control, const QStyleOptionComplex* option, SubControl part,
                            const QWidget* widget) const {
  const QRect all = option->rect;
  const int edge = theme_.sizes.control * 3 / 4;
  if (control == CC_SpinBox) {
    const int left = all.right() - edge + 1;
    switch (part) {
      case SC_SpinBoxUp:
        return {left, all.top() + 2, edge - 2, all.height() / 2 - 2};
      case SC_SpinBoxDown:
        return {left, all.top() + all.height() / 2, edge - 2, all.height() / 2 - 2};
      case SC_SpinBoxEditField:
        return all.adjusted(theme_.sizes.step, 1, -edge, -1);
      case SC_SpinBoxFrame:
        return all;
      default:
        break;
    }
  }
  if (control == CC_ComboBox) {
    switch (part) {
      case SC_ComboBoxEditField:
        return all.adjusted(theme_.sizes.step + 2, 1, -edge, -1);
      case SC_ComboBoxArrow:
        return {all.right() - edge + 1, all.top(), edge, all.height()};
      case SC_ComboBoxFrame:
        return all;
      default:
        break;
    }
  }
  return QProxyStyle::subControlRect(control, option, part, widget);
}

int Style::pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const {
  switch (metric) {
    case PM_IndicatorWidth:
    case PM_IndicatorHeight:
      return theme_.fonts.interface_size + 1;
    case PM_DockWidgetSeparatorExtent:
      return theme_.sizes.line;
    case PM_SplitterWidth:
      return theme_.sizes.line;
    case PM_TreeViewIndentation:
      return theme_.sizes.step * 4;
    case PM_MenuPanelWidth:
      return 1;
    case PM_ButtonShiftHorizontal:
    case PM_ButtonShiftVertical:
      return 0;
    case PM_SmallIconSize:
    case PM_ButtonIconSize:
      return theme_.sizes.step * 4;
    default:
      return QProxyStyle::pixelMetric(metric, option, widget);
  }
}

int Style::styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                     QStyleHintReturn* result) const {
  switch (hint) {
    case SH_EtchDisabledText:
    case SH_DitherDisabledText:
    case SH_UnderlineShortcut:
      return 0;
    case SH_ComboBox_Popup:
      return 0;  // a list below the box, not a menu over it
    case SH_Slider_AbsoluteSetButtons:
      return Qt::LeftButton;
    case SH_ToolTip_WakeUpDelay:
      return 450;
    default:
      return QProxyStyle::styleHint(hint, option, widget, result);
  }
}

QSize Style::sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& contents,
                              const QWidget* widget) const {
  QSize size = QProxyStyle::sizeFromContents(type, option, contents, widget);
  if (type == CT_ComboBox) size = {contents.width() + theme_.sizes.control + theme_.sizes.step * 2, 0};
  if (type == CT_ComboBox || type == CT_SpinBox || type == CT_LineEdit) size.setHeight(theme_.sizes.control);
  return size;
}

}  // namespace vitrine::ui
