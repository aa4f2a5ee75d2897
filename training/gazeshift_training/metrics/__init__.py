"""What an edit did, in numbers: attention, likeness to the mask, fidelity, clipping, colour.

Pure functions on arrays, one module per family. Functions of one photo return NaN where the
quantity does not exist (no neutral pixel, no attention before); `nan_mean` and its kin leave
those photos out and `count_finite` says how many stayed.
"""
