#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#   "simglucose==0.2.11",
#   "numpy==2.4.6",
#   "scipy==1.17.1",
#   "pandas==3.1.1",
#   "setuptools<81",
# ]
# ///
"""Make the packaged sample `dtledger/data/sample-glucose.csv`: a simulated patient, nobody's readings.

    uv run scripts/make_sample.py            write the sample
    uv run scripts/make_sample.py --check    fail if the sample is not what this script makes

The header above names what it needs, so `uv run` gives it an environment of its own; any other environment with
these packages serves as well (simglucose imports `pkg_resources`, which setuptools 81 dropped). It takes two
minutes. One seed gives one file: readings are whole mg/dL, as the sensor shows them, which hides the last bits
of floating point.

The patient is adult#001 of the UVA/Padova simulator as simglucose has it (MIT licence), with random meals, a
basal-bolus controller and the noise model of a Dexcom sensor read every five minutes.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent / "dtledger" / "data" / "sample-glucose.csv"
PATIENT = "adult#001"
SEED = 7
DAYS = 14
MINUTES = 5
START = datetime(2026, 11, 2, tzinfo=timezone(timedelta(hours=1)))


def simulate() -> list[float]:
    """Glucose in mg/dL every `MINUTES` minutes over `DAYS` days."""
    warnings.simplefilter("ignore")
    from simglucose.actuator.pump import InsulinPump
    from simglucose.controller.basal_bolus_ctrller import BBController
    from simglucose.patient.t1dpatient import T1DPatient
    from simglucose.sensor.cgm import CGMSensor
    from simglucose.simulation.env import T1DSimEnv
    from simglucose.simulation.scenario_gen import RandomScenario

    parameters = CGMSensor.withName("Dexcom")._params.copy()
    parameters["sample_time"] = float(MINUTES)
    scenario = RandomScenario(start_time=START.replace(tzinfo=None), seed=SEED)
    patient = T1DPatient.withName(PATIENT)
    environment = T1DSimEnv(patient, CGMSensor(parameters, seed=SEED), InsulinPump.withName("Insulet"), scenario)
    controller = BBController()
    step = environment.reset()
    while len(environment.CGM_hist) < DAYS * 24 * 60 // MINUTES:
        action = controller.policy(step.observation, step.reward, step.done, **step.info)
        step = environment.step(action)
    return [float(value) for value in environment.CGM_hist]


def as_csv(values: list[float]) -> bytes:
    lines = ["time,glucose (mg/dL)"]
    for index, value in enumerate(values):
        at = START + timedelta(minutes=MINUTES * index)
        lines.append(f"{at.isoformat(timespec='minutes')},{value:.0f}")
    return ("\n".join(lines) + "\n").encode("ascii")


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the packaged sample of simulated glucose readings.")
    parser.add_argument("--check", action="store_true", help="only compare with the packaged sample")
    check = parser.parse_args().check
    sample = as_csv(simulate())
    if not check:
        SAMPLE.write_bytes(sample)
    elif not SAMPLE.exists() or SAMPLE.read_bytes() != sample:
        print(f"{SAMPLE.name} is not what this script makes; run it without --check", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
