# The functions as one image: all of them, or the one that FUNCTION_TARGET names.
# `make image` builds it; without a container engine it fills a folder with the same files and runs those.

ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS build
WORKDIR /build
COPY local/requirements-installer.txt deploy/fill-image ./
RUN python -m pip install --no-cache-dir --require-hashes --only-binary :all: --requirement requirements-installer.txt
COPY functions functions
RUN ./fill-image functions /srv/fersk

FROM ${BASE}
COPY --from=build /srv/fersk /srv/fersk
WORKDIR /srv/fersk/functions
ENV PYTHONPATH=/srv/fersk/packages PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp PORT=8080
# Nobody: nothing in the image is theirs, and they write nothing.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
    CMD ["python", "-m", "_shared.probe"]
ENTRYPOINT ["python", "-m", "_shared.http.server"]
