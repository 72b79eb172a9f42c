# The ui floor: Qt 6 widgets, Dear ImGui with its Vulkan backend.
file(GLOB_RECURSE ui_sources CONFIGURE_DEPENDS ui/*.cpp)
if(ui_sources)
  find_package(Qt6 REQUIRED COMPONENTS Core Gui Widgets Svg)
  find_package(PkgConfig REQUIRED)
  find_package(Freetype REQUIRED)  # Dear ImGui's glyphs, as Qt draws them
  pkg_check_modules(IMGUI REQUIRED IMPORTED_TARGET imgui)
  vitrine_floor(ui vitrine_core Qt6::Core Qt6::Gui Qt6::Widgets Qt6::Svg PkgConfig::IMGUI Freetype::Freetype)
  target_precompile_headers(vitrine_ui PRIVATE <QFont> <QObject> <QPainter> <QString> <QWidget>)
  target_compile_options(vitrine_ui PRIVATE ${VITRINE_COLD_CODE})
  file(GLOB_RECURSE ui_headers CONFIGURE_DEPENDS ui/*.h)  # moc looks into headers without a .cpp of their name, too
  target_sources(vitrine_ui PRIVATE ${ui_headers})
  set_target_properties(vitrine_ui PROPERTIES AUTOMOC ON AUTORCC ON)
  set_target_properties(vitrine_ui PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)  # Qt's headers once a batch, not once a file
endif()
