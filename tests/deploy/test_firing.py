"""Alerts that are not plain fire when they should, and only then: asked of Prometheus's own evaluator, where it is."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.commands import DEPLOY

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")

TURNED = 'dtledger_custodian_turned_away_total{cause="frozen",instance="north",job="custodians"}'
RECEIPTS = 'dtledger_custodian_receipts{instance="north",job="custodians"}'
ERRORS = 'dtledger_custodian_requests_total{endpoint="%s",status="503",instance="north",job="custodians"}'
UP = 'up{job="custodians",instance="%s"}'
HEAD = 'dtledger_custodian_head_age_seconds{instance="north",job="custodians"}'
UNANCHORED = 'dtledger_gateway_unanchored{instance="gateway",job="gateways"}'
ANCHORED = 'dtledger_gateway_anchored{instance="gateway",job="gateways"}'
UP_GATEWAY = 'up{instance="gateway",job="gateways"}'
GATEWAY_HEAD = 'dtledger_gateway_head_age_seconds{instance="gateway",job="gateways"}'
FREE = 'dtledger_%s_disk_free_bytes{instance="x",job="x"}'
ENDS = 'dtledger_%s_certificate_ends_timestamp_seconds{instance="x",job="x"}'  # promtool's time begins at 0
BUILD = 'dtledger_%s_build{version="%s"}'


def fires(alert: str, minute: int, folder: Path, of: dict[str, str]) -> bool:
    """Whether the alert fires at that minute, on these series: by name the values a minute, as promtool writes them."""
    rows = [{"series": name, "values": values} for name, values in of.items()]
    test = {
        "rule_files": [str(DEPLOY / "alerts.yml")],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": rows, "promql_expr_test": [
            {"expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})', "eval_time": f"{minute}m",
             "exp_samples": [{"labels": "{}", "value": 1}]},
        ]}],
    }  # fmt: skip
    file = folder / "test.yml"  # JSON is YAML
    file.write_text(json.dumps(test))
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0 or "got:nil" in said.replace(" ", ""), said
    return done.returncode == 0


@pytest.mark.parametrize(
    ("alert", "minute", "of", "does"),
    [
        # a counter that is born at one
        ("CustodianFrozen", 20, {TURNED: "_x15 1x20"}, True),
        ("CustodianFrozen", 35, {TURNED: "_x15 1x30"}, False),
        ("CustodianFrozen", 20, {TURNED: "1x30"}, False),
        ("CustodianFrozen", 20, {TURNED: "1x15 2x15"}, True),
        # a log that a restart does not shrink
        ("CustodianLogShrank", 70, {RECEIPTS: "50x62 40x20"}, True),
        ("CustodianLogShrank", 70, {RECEIPTS: "50x62 _x2 50x20"}, False),
        # readiness is answered 503, and that is no failure
        ("CustodianFails", 12, {ERRORS % "/readyz": "0+9x20"}, False),
        ("CustodianFails", 12, {ERRORS % "/v1/open": "0+9x20"}, True),
        ("TooFewCustodians", 5, {UP % "a": "1x9", UP % "b": "1x9", UP % "c": "0x9"}, False),
        ("TooFewCustodians", 5, {UP % "a": "1x9", UP % "b": "0x9", UP % "c": "0x9"}, True),
        ("CustodianNodeSilent", 9, {UP % "north": "1x20", HEAD: "3x20"}, False),
        ("CustodianNodeSilent", 9, {UP % "north": "1x20"}, True),
        ("CustodianNodeSilent", 9, {UP % "north": "0x20"}, False),
        # an idle gateway and one that is at work do not stand still
        ("GatewayStandsStill", 240, {UNANCHORED: "4x300", ANCHORED: "9x300"}, True),
        ("GatewayStandsStill", 240, {UNANCHORED: "0x300", ANCHORED: "9x300"}, False),
        ("GatewayStandsStill", 240, {UNANCHORED: "4x300", ANCHORED: "9x180 12x120"}, False),
        ("GatewayNodeSilent", 9, {UP_GATEWAY: "1x20", GATEWAY_HEAD: "3x20"}, False),
        ("GatewayNodeSilent", 9, {UP_GATEWAY: "1x20"}, True),
        # a chain that rests has old heads everywhere
        ("GatewayNodeBehind", 15, {GATEWAY_HEAD: "3600x20", HEAD: "3600x20"}, False),
        ("GatewayNodeBehind", 15, {GATEWAY_HEAD: "3600x20", HEAD: "4x20"}, True),
        ("GatewayNodeBehind", 15, {GATEWAY_HEAD: "3600x20"}, False),
        ("DiskFilling", 20, {FREE % "gateway": "3000000000x30", FREE % "custodian": "3000000000x30"}, False),
        ("DiskFilling", 20, {FREE % "custodian": "2000000000x30"}, True),
        ("DiskFilling", 20, {FREE % "gateway": "2000000000x30"}, True),
        ("CertificateEnds", 5, {ENDS % "gateway": "1300000x9", ENDS % "custodian": "1300000x9"}, False),
        ("CertificateEnds", 5, {ENDS % "custodian": "1200000x9"}, True),
        ("CertificateEnds", 5, {ENDS % "gateway": "1200000x9"}, True),
        ("VersionsDiffer", 1500, {BUILD % ("custodian", "1"): "1x1600", BUILD % ("gateway", "2"): "1x1600"}, True),
        ("VersionsDiffer", 1500, {BUILD % ("custodian", "1"): "1x1600", BUILD % ("gateway", "1"): "1x1600"}, False),
    ],
)  # fmt: skip
def test_it_fires_when_it_should(alert: str, minute: int, of: dict[str, str], does: bool, tmp_path: Path) -> None:
    assert fires(alert, minute, tmp_path, of) is does
