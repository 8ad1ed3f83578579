"""The recipe: data, features, stages, calibration and figures of Tollhouse's classifiers."""
