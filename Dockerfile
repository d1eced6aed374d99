# The suite as an image.
#
#     docker build -t nip-ap-conformance .
#     docker run --rm --network host -v "$PWD/report:/report" nip-ap-conformance \
#         run ws://localhost:3000 --out /report
#
# BASE is any image with Python 3.11 or newer and pip.
ARG BASE=python:3.11-slim
FROM ${BASE}
COPY . /tmp/source
RUN python -m pip install --no-cache-dir "/tmp/source[docker]" && rm -rf /tmp/source
# Scratch folders of relays and runs; a caller may run as any user.
ENV PYTHONUNBUFFERED=1 HOME=/tmp
WORKDIR /tmp
ENTRYPOINT ["python", "-P", "-m", "nip_ap"]
CMD ["run"]
