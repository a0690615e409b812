// expect: conversion from|no viable conversion
#include "prelude.hpp"

#ifdef WRONG
romancy::instance_id id = std::string{"ORD-1"};
#else
romancy::instance_id id{"ORD-1"};
#endif
