from __future__ import annotations

from _shared.result import ErrorCode


def test_each_code_has_the_documented_status() -> None:
    assert {code.value: code.status for code in ErrorCode} == {
        "bad_request": 400,
        "unauthorized": 401,
        "forbidden": 403,
        "not_found": 404,
        "method_not_allowed": 405,
        "conflict": 409,
        "payload_too_large": 413,
        "feature_disabled": 423,
        "rate_limited": 429,
        "internal": 500,
        "upstream_unavailable": 503,
        "upstream_timeout": 504,
    }


def test_each_code_has_a_sentence_of_its_own() -> None:
    sentences = {code.message for code in ErrorCode}
    assert len(sentences) == len(ErrorCode)
    assert all(sentence.endswith(".") for sentence in sentences)
