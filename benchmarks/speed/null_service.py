"""The service with one more route, ``POST /null``, which reads its body and gives fixed bytes: what HTTP alone costs.

python -m benchmarks.speed.null_service ARTIFACT STATE
"""

import sys
from contextlib import closing

import msgspec
import uvicorn
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from threadpoolctl import threadpool_limits

from encorec.pipeline.engine import load_engine
from encorec.pipeline.requests import Request
from encorec.serving.app import create_app
from encorec.serving.settings import Settings
from encorec.serving.state.sqlite_state import SqliteState


def main(artifact: str, path: str) -> None:
    settings = Settings(port=0, clock="data-end", state=path)
    with threadpool_limits(limits=1), closing(SqliteState(settings.state)) as state:
        engine = load_engine(artifact)
        app = create_app(engine, settings, state)
        fixed = msgspec.json.encode(engine.recommend([Request()])[0])

        async def null(request: HttpRequest) -> Response:
            await request.body()
            return Response(fixed, media_type="application/json")

        app.add_route("/null", null, methods=["POST"])
        uvicorn.run(app, host=settings.host, port=settings.port, access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
