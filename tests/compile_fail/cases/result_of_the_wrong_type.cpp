// expect: conversion from|no viable conversion
#include "prelude.hpp"

void f(const order& o) {
  romancy::app<simple> app{{.database = "orders.db"}};
#ifdef WRONG
  const order result = app.start<simple>(o).result();
#else
  const receipt result = app.start<simple>(o).result();
#endif
}
