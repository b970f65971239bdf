"""What the pins in pyproject.toml are for: each trap is asserted on the versions installed."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires, version

import pytest
from packaging.requirements import Requirement


@pytest.mark.parametrize(
    "order", [("highspy", "ortools.sat.python.cp_model"), ("ortools.sat.python.cp_model", "highspy")]
)
def test_highspy_and_ortools_share_a_process(order: tuple[str, str]) -> None:
    """highspy 1.15 and ortools both ship libhighs.so.1: either order fails with an undefined symbol."""
    script = f"import {order[0]}, {order[1]}; import highspy; print(highspy.Highs().version())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == version("highspy")


def test_highspy_finds_the_optimum_that_1_14_misses() -> None:
    """min 2x + 3z, x + z >= 4.5, 0 <= x, z <= 1000, z integer: x = 4.5, z = 0 costs 9; highspy 1.14.0 says 15."""
    import highspy

    highs = highspy.Highs()
    highs.silent()
    x = highs.addVariable(0, 1000)
    z = highs.addIntegral(0, 1000)
    highs.addConstr(x + z >= 4.5)
    highs.minimize(2 * x + 3 * z)
    assert highs.getInfo().objective_function_value == pytest.approx(9.0)


def test_installed_versions_meet_the_pins() -> None:
    pins = [Requirement(text) for text in requires("harpagon") or []]
    checked = [pin for pin in pins if pin.marker is None or pin.marker.evaluate({"extra": ""})]
    assert {"highspy", "ortools", "pyomo", "networkx", "numpy"} <= {pin.name for pin in checked}
    for pin in checked:
        assert pin.specifier.contains(version(pin.name)), pin


def test_the_pins_exclude_the_broken_releases() -> None:
    (pin,) = [Requirement(text) for text in requires("harpagon") or [] if text.startswith("highspy")]
    for broken in ("1.12.0", "1.13.1", "1.14.0", "1.15.1"):
        assert not pin.specifier.contains(broken)
    assert pin.specifier.contains("1.16.0")


def test_planning_does_not_load_heavy_libraries() -> None:
    heavy = ("pyomo", "ortools", "highspy", "matplotlib", "pandas", "joblib")
    module = "harpagon.solvers.enumeration.brute_force"
    script = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
