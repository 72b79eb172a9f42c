// The Routing view as the canvas draws it: at the left the load of every expert of every layer, at the right
// the selected layer's experts over the tokens.
//
// Keys while the canvas has the focus: up and down move the layer, left and right the query (Shift: by ten),
// Home and End to the first and the newest; S sorts the experts by load, C takes the next colour map, Esc
// unlocks.
#pragma once

#include <optional>
#include <vector>

#include "ui/views/routing/expert_load.h"
#include "ui/views/view_message.h"

namespace vitrine::ui::routing {

class RoutingContent : public ViewContent {
 public:
  RoutingContent(Selection& selection, ViewSettings& settings) : selection_(selection), settings_(settings) {}

  void draw(CanvasFrame& frame) override;
  bool wantsKey(const KeyPress& press) const override;
  bool sortedByLoad() const { return by_load_; }

 private:
  struct Scene {
    CanvasFrame& frame;
    const PanelContext& context;
    const core::RoutingPicture& routing;
    std::size_t shown = 0;  // index of the layer whose tokens are shown
    const core::LayerRouting& layer() const { return routing.layers[shown]; }
  };
  void handleKey(const KeyPress& press);
  void update(const std::shared_ptr<const core::RoutingPicture>& routing);
  // The selected layer, or the nearest one with a router.
  std::size_t shownLayer() const;
  void drawLoads(const Scene& scene, const Rect& area);
  void drawLoadHover(const Scene& scene, const Rect& plot);
  void drawTokens(const Scene& scene, const Rect& area);
  void drawTokenHover(const Scene& scene, const Rect& plot);
  void drawShares(const Scene& scene, const Rect& area, const Rect& plot);
  void drawSummary(const Scene& scene, const Rect& area);
  Rgba color(double position) const;

  Selection& selection_;
  ViewSettings& settings_;
  std::shared_ptr<const core::RoutingPicture> routing_;
  std::vector<ExpertLoad> loads_;  // of routing_
  double largest_share_ = 1;       // of any layer
  std::vector<std::uint32_t> order_;
  bool by_load_ = false, was_hovered_ = false;
};

}  // namespace vitrine::ui::routing
