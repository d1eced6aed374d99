# The suite as an image, which runs as a user without rights.
#
#     docker build -t nip-ap-conformance .
#     docker run --rm --network host --user "$(id -u)" -v "$PWD/report:/report" nip-ap-conformance \
#         run ws://localhost:3000 --out /report
#
# BASE is any image with Python 3.11 or newer and pip, best by its digest. PINS holds the hash of
# every file that is downloaded; `tox run -e pins` renews it.
ARG BASE=python:3.13-slim@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285

FROM ${BASE} AS build
ARG PINS=supply
COPY . /tmp/source
WORKDIR /tmp/source
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m pip install --target /build --require-hashes -r "${PINS}/build.txt"
RUN python -m pip install --target /suite --require-hashes -r "${PINS}/image.txt"
RUN PYTHONPATH="/build:/suite:${PYTHONPATH}" \
    python -m pip install --target /suite --no-deps --no-build-isolation .

FROM ${BASE}
COPY --from=build /suite /suite
# Scratch folders of relays and runs are in HOME; a caller may run as any user.
ENV PYTHONPATH=/suite${PYTHONPATH:+:${PYTHONPATH}} PYTHONUNBUFFERED=1 HOME=/tmp
WORKDIR /tmp
USER 65534:65534
ENTRYPOINT ["python", "-P", "-m", "nip_ap"]
CMD ["run"]
