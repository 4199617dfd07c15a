"""A network of several nodes on this machine: five validators, three kubos, three custodians, two gateways.

What it is made of is what runs in hospitals; that all of it stands on one machine is what makes it a trial.
"""
