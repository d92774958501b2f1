"""The page at ``/docs``: Swagger UI over the service's description; every file of it is served here, none fetched."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
</head>
<body>
<div id="docs"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script>
const ui = SwaggerUIBundle({{url: "openapi.json", dom_id: "#docs", deepLinking: true, docExpansion: "list",
  defaultModelsExpandDepth: 0, defaultModelExpandDepth: 2, tryItOutEnabled: true, displayRequestDuration: true,
  presets: [SwaggerUIBundle.presets.apis], validatorUrl: null,
  onComplete: () => ui.layoutActions.show(["operations", "default", "predict"], true)}});
</script>
</body>
</html>
"""


def page(title: str) -> str:
    """Write the page."""
    return _PAGE.format(title=escape(title))


def assets() -> BaseRoute:
    """Serve Swagger UI's own files below ``/docs/``."""
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles
    from swagger_ui_bundle import swagger_ui_path

    return Mount("/docs", StaticFiles(directory=swagger_ui_path), name="docs")
